package functionenv

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	good := map[string]string{"TABLE": "state", "HANDLER": "drive", "DAYS": "7"}
	read := func(change func(map[string]string)) (table, handler string, kept time.Duration, err error) {
		env := map[string]string{}
		for name, value := range good {
			env[name] = value
		}
		change(env)
		err = Read(func(name string) string { return env[name] },
			Text("TABLE", &table), OneOf("HANDLER", &handler, "dispatch", "drive"), Days("DAYS", &kept))
		return table, handler, kept, err
	}
	table, handler, kept, err := read(func(map[string]string) {})
	require.NoError(t, err)
	require.Equal(t, "state", table)
	require.Equal(t, "drive", handler)
	require.Equal(t, 7*24*time.Hour, kept)

	for want, change := range map[string]func(map[string]string){
		"environment variable TABLE is not set":                               func(env map[string]string) { delete(env, "TABLE") },
		`environment variable HANDLER is "x": allowed are dispatch and drive`: func(env map[string]string) { env["HANDLER"] = "x" },
		`environment variable DAYS is "0": allowed are 1 to 3650 days`:        func(env map[string]string) { env["DAYS"] = "0" },
		`environment variable DAYS is "3651": allowed are 1 to 3650 days`:     func(env map[string]string) { env["DAYS"] = "3651" },
		`environment variable DAYS is "a week": allowed are 1 to 3650 days`:   func(env map[string]string) { env["DAYS"] = "a week" },
		`environment variable HANDLER is not set`:                             func(env map[string]string) { env["HANDLER"] = "" },
	} {
		_, _, _, err := read(change)
		require.EqualError(t, err, want)
	}
}
