package attr

import (
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Number is a decimal as DynamoDB keeps it: up to 38 significant digits,
// magnitudes from 1E-130 to 9.99E+125. The zero value is 0.
type Number struct {
	negative bool
	digits   string // significant digits without leading or trailing zeros; "" is 0
	exponent int    // the value is 0.digits × 10^exponent
}

const (
	maxDigits   = 38
	maxExponent = 126  // 0.99… × 10^126 = 9.99…E+125
	minExponent = -129 // 0.1 × 10^-129 = 1E-130

	// A longer text cannot be a number that DynamoDB accepts, whatever zeros
	// pad it, and is not worth scanning.
	maxNumberText = 1024
)

const (
	errOverflow  = Invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	errUnderflow = Invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	errPrecision = Invalid("Attempting to store more than 38 significant digits in a Number")
)

func errNotNumber(text string) error {
	return Invalid("The parameter cannot be converted to a numeric value: " + text)
}

// ParseNumber reads a number as DynamoDB does: an optional sign, digits with
// an optional point, an optional exponent. Errors are [Invalid].
func ParseNumber(text string) (Number, error) {
	if len(text) > maxNumberText {
		return Number{}, errPrecision
	}
	rest, negative := cutSign(text)
	mantissa, exponentText, hasExponent := cutExponent(rest)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return Number{}, errNotNumber(text)
	}
	exponent := 0
	if hasExponent {
		var ok bool
		if exponent, ok = parseExponent(exponentText); !ok {
			return Number{}, errNotNumber(text)
		}
	}
	return normal(negative, whole+fraction, exponent+len(whole))
}

func cutSign(text string) (rest string, negative bool) {
	if text == "" {
		return "", false
	}
	switch text[0] {
	case '-':
		return text[1:], true
	case '+':
		return text[1:], false
	default:
		return text, false
	}
}

func cutExponent(text string) (mantissa, exponent string, found bool) {
	i := strings.IndexAny(text, "eE")
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

func parseExponent(text string) (value int, ok bool) {
	digits, negative := cutSign(text)
	if digits == "" || !allDigits(digits) {
		return 0, false
	}
	for _, c := range digits {
		// Far outside the range of DynamoDB already: stop before an overflow.
		if value < 1_000_000 {
			value = value*10 + int(c-'0')
		}
	}
	if negative {
		return -value, true
	}
	return value, true
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// normal builds the number 0.digits × 10^exponent and checks its bounds.
func normal(negative bool, digits string, exponent int) (Number, error) {
	stripped := strings.TrimLeft(digits, "0")
	exponent -= len(digits) - len(stripped)
	stripped = strings.TrimRight(stripped, "0")
	switch {
	case stripped == "":
		return Number{}, nil
	case len(stripped) > maxDigits:
		return Number{}, errPrecision
	case exponent > maxExponent:
		return Number{}, errOverflow
	case exponent < minExponent:
		return Number{}, errUnderflow
	}
	return Number{negative: negative, digits: stripped, exponent: exponent}, nil
}

// String writes the number without an exponent, the way DynamoDB returns it.
func (n Number) String() string {
	var b strings.Builder
	if n.negative {
		b.WriteByte('-')
	}
	switch count := len(n.digits); {
	case count == 0:
		return "0"
	case n.exponent <= 0:
		b.WriteString("0.")
		b.WriteString(zeros(-n.exponent))
		b.WriteString(n.digits)
	case n.exponent >= count:
		b.WriteString(n.digits)
		b.WriteString(zeros(n.exponent - count))
	default:
		b.WriteString(n.digits[:n.exponent])
		b.WriteByte('.')
		b.WriteString(n.digits[n.exponent:])
	}
	return b.String()
}

func zeros(count int) string { return strings.Repeat("0", count) }

// Compare returns -1, 0 or 1 as n is below, equal to or above m.
func (n Number) Compare(m Number) int {
	return strings.Compare(n.sortKey(), m.sortKey())
}

// sortKey encodes the number so that the order of the keys as bytes is the
// order of the numbers: sign, exponent, digits, all complemented for negative
// numbers.
func (n Number) sortKey() string {
	if n.digits == "" {
		return "1"
	}
	key := make([]byte, 0, len(n.digits)+3)
	if !n.negative {
		key = append(key, '2', byte(n.exponent-minExponent))
		return string(append(key, n.digits...))
	}
	key = append(key, '0', ^byte(n.exponent-minExponent))
	for i := 0; i < len(n.digits); i++ {
		key = append(key, '9'-n.digits[i]+'0')
	}
	// -1.1 is below -1, but "…8" sorts below "…88": end with what is above
	// every digit.
	return string(append(key, 0xff))
}

// Add returns n + m. Errors are [Invalid]: a sum of more than 38 digits or out
// of range.
func (n Number) Add(m Number) (Number, error) {
	scale := max(len(n.digits)-n.exponent, len(m.digits)-m.exponent)
	sum := new(big.Int).Add(n.scaled(scale), m.scaled(scale))
	negative := sum.Sign() < 0
	digits := sum.Abs(sum).String()
	return normal(negative, digits, len(digits)-scale)
}

// Sub returns n - m, with the errors of [Number.Add].
func (n Number) Sub(m Number) (Number, error) {
	m.negative = !m.negative
	return n.Add(m)
}

// scaled returns n × 10^scale, which must be whole.
func (n Number) scaled(scale int) *big.Int {
	value := new(big.Int)
	if n.digits == "" {
		return value
	}
	value.SetString(n.digits+zeros(n.exponent-len(n.digits)+scale), 10)
	if n.negative {
		value.Neg(value)
	}
	return value
}

// size is what a number counts in DynamoDB: a byte for two digits (the pairs
// stand at even powers of ten), one for the exponent, one more when negative.
// AWS documents it as approximate; this is what DynamoDB Local charges.
func (n Number) size() int {
	if n.digits == "" {
		return 1
	}
	start := n.exponent & 1 // an odd exponent begins with half a pair
	size := 1 + (start+len(n.digits)+1)/2
	if n.negative {
		size++
	}
	return size
}

// SecondsOf returns t in whole seconds since 1970, the unit of expiry times.
func SecondsOf(t time.Time) Number {
	n, err := ParseNumber(strconv.FormatInt(t.Unix(), 10))
	if err != nil {
		return Number{} // cannot be: an int64 has 19 digits
	}
	return n
}
