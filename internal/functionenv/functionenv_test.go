package functionenv

import (
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	good := map[string]string{
		"TABLE": "state", "HANDLER": "drive", "DAYS": "7", "MINUTES": "5", "CALLS": "20", "INSTALLATION": "blox-2",
		"ACCOUNT": "210987654321", "NUMBER": "0x10",
	}
	type settings struct {
		table, handler, installation, account string
		kept, period                          time.Duration
		calls                                 float64
		number                                int64
	}
	read := func(name, value string) (s settings, err error) {
		env := maps.Clone(good)
		if name != "" {
			env[name] = value
		}
		err = Read(func(name string) string { return env[name] },
			Text("TABLE", &s.table), OneOf("HANDLER", &s.handler, "dispatch", "drive"), Days("DAYS", &s.kept),
			Minutes("MINUTES", &s.period), CallsPerSecond("CALLS", &s.calls), Installation("INSTALLATION", &s.installation),
			Account("ACCOUNT", &s.account),
			Parsed("NUMBER", &s.number, func(value string) (int64, error) { return strconv.ParseInt(value, 0, 64) }))
		return s, err
	}
	got, err := read("", "")
	require.NoError(t, err)
	require.Equal(t, settings{
		table: "state", handler: "drive", installation: "blox-2", account: "210987654321",
		kept: 7 * 24 * time.Hour, period: 5 * time.Minute, calls: 20, number: 16,
	}, got)

	const installations = "allowed are 1 to 16 lower-case letters, digits and hyphens, a letter first"
	for _, c := range []struct{ name, value, want string }{
		{"TABLE", "", "is not set"},
		{"HANDLER", "", "is not set"},
		{"HANDLER", "x", `is "x": allowed are dispatch and drive`},
		{"DAYS", "0", `is "0": allowed are 1 to 3650 days`},
		{"DAYS", "3651", `is "3651": allowed are 1 to 3650 days`},
		{"DAYS", "a week", `is "a week": allowed are 1 to 3650 days`},
		{"MINUTES", "0", `is "0": allowed are 1 to 60 minutes`},
		{"MINUTES", "61", `is "61": allowed are 1 to 60 minutes`},
		{"MINUTES", "2.5", `is "2.5": allowed are 1 to 60 minutes`},
		{"CALLS", "-1", `is "-1": allowed are 1 to 1000 calls a second`},
		{"CALLS", "1001", `is "1001": allowed are 1 to 1000 calls a second`},
		{"INSTALLATION", "Blox", `is "Blox": ` + installations},
		{"INSTALLATION", "2nd", `is "2nd": ` + installations},
		{"INSTALLATION", "a-name-of-seventeen", `is "a-name-of-seventeen": ` + installations},
		{"ACCOUNT", "21098765432", `is "21098765432": allowed are the 12 digits of an AWS account`},
		{"NUMBER", "x", `is "x": strconv.ParseInt: parsing "x": invalid syntax`},
	} {
		_, err := read(c.name, c.value)
		require.EqualError(t, err, "environment variable "+c.name+" "+c.want)
	}
}
