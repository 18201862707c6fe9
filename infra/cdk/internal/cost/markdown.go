package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// Markdown is all tables, as they stand in docs/deploy.md.
func (t *Template) Markdown() (string, error) {
	idle, err := t.Idle()
	if err != nil {
		return "", err
	}
	events, err := t.Million()
	if err != nil {
		return "", err
	}
	growth, err := t.Growth()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**An idle month: %s USD.** Nothing happens: no event, no cluster, no environment, no request.\n\n", dollars(Sum(idle)))
	writeLines(&b, idle, true)

	var quiet, busy float64
	for _, l := range events {
		quiet, busy = quiet+l.Quiet, busy+l.Busy
	}
	fmt.Fprintf(&b, "\n**A million events: %s USD** when each comes alone, **%s USD** when they come in tens.\n\n", dollars(quiet), dollars(busy))
	b.WriteString("| What | How | Alone, USD | In tens, USD |\n|---|---|--:|--:|\n")
	for _, l := range events {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", l.What, l.How, dollars(l.Quiet), dollars(l.Busy))
	}
	fmt.Fprintf(&b, "| **Sum** | | **%s** | **%s** |\n", dollars(quiet), dollars(busy))

	b.WriteString("\n**What grows with use**, a month:\n\n")
	writeLines(&b, growth, false)

	b.WriteString("\nCounts and assumptions behind these tables:\n\n| Number | Where it is from |\n|---|---|\n")
	for _, a := range assumptions() {
		fmt.Fprintf(&b, "| %s | %s |\n", a.what, a.how)
	}
	fmt.Fprintf(&b, "\nPrices of us-east-1, %s, without free tiers:\n\n| What | USD | For each | From |\n|---|--:|---|---|\n", PricesAsOf)
	for _, p := range Prices() {
		fmt.Fprintf(&b, "| %s | %s | %s | <%s> |\n", p.What, strconv.FormatFloat(p.USD, 'f', -1, 64), p.Per, p.From)
	}
	return b.String(), nil
}

func writeLines(b *strings.Builder, lines []Line, sum bool) {
	b.WriteString("| What | How | USD |\n|---|---|--:|\n")
	for _, l := range lines {
		fmt.Fprintf(b, "| %s | %s | %s |\n", l.What, l.How, dollars(l.USD))
	}
	if sum {
		fmt.Fprintf(b, "| **Sum** | | **%s** |\n", dollars(Sum(lines)))
	}
}

// dollars has cents. What is less than one is said to be, since it is not nothing.
func dollars(usd float64) string {
	if usd > 0 && usd < 0.005 {
		return "< 0.01"
	}
	return strconv.FormatFloat(usd, 'f', 2, 64)
}

// count has commas between thousands.
func count(n float64) string {
	digits := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func seconds(millis float64) string {
	if millis >= 1000 {
		return fmt.Sprintf("%g s", millis/1000)
	}
	return fmt.Sprintf("%g ms", millis)
}

func memory(gigabytes float64) string { return fmt.Sprintf("%g MB", gigabytes*1024) }
