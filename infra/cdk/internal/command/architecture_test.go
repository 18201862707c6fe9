package command

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// functions writes what looks like the built functions, and returns their folder.
func functions(t *testing.T, built elf.Machine) string {
	t.Helper()
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(built), Version: uint32(elf.EV_CURRENT), Ehsize: 64, Shentsize: 64,
	}
	var program bytes.Buffer
	require.NoError(t, binary.Write(&program, binary.LittleEndian, header))
	directory := t.TempDir()
	for _, name := range lambdas {
		require.NoError(t, os.Mkdir(filepath.Join(directory, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(directory, name, "bootstrap"), program.Bytes(), 0o755))
	}
	return directory
}

// What the template says and what the functions are built for is the same, wherever the parameter stands.
func TestArchitecture(t *testing.T) {
	for name, test := range map[string]struct {
		context string
		args    []string
		goarch  string
	}{
		"by itself":              {goarch: "arm64"},
		"an argument":            {args: []string{"-c", "architecture=x86_64"}, goarch: "amd64"},
		"joined":                 {args: []string{"--context=architecture=x86_64"}, goarch: "amd64"},
		"joined and short":       {args: []string{"-c=architecture=x86_64"}, goarch: "amd64"},
		"the last one counts":    {args: []string{"-c", "architecture=x86_64", "-c", "architecture=arm64"}, goarch: "arm64"},
		"in cdk.json":            {context: "x86_64", goarch: "amd64"},
		"argument over cdk.json": {context: "x86_64", args: []string{"-c", "architecture=arm64"}, goarch: "arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.fakeCDK("")
			if test.context != "" {
				f.write("cdk.json", fmt.Sprintf(`{"app": "x", "context": {"architecture": %q, "retentionDays": 3}}`, test.context), 0o644)
			}
			require.NoError(t, f.run(&screen{}, 0, "synth", test.args...))
			require.Contains(t, f.called(), "make --no-print-directory -C ../.. build LAMBDA_GOARCH="+test.goarch+"\n")
		})
	}

	f := newFolder(t)
	f.fakeCDK("")
	require.EqualError(t, f.run(&screen{}, 0, "synth", "-c", "architecture=amd64"),
		`The parameter architecture is "amd64": allowed are arm64 and x86_64.`)
	require.NotContains(t, f.called(), "cdk")
}

// Functions that were built elsewhere are not built again, but have to fit.
func TestGivenFunctions(t *testing.T) {
	for name, test := range map[string]struct {
		built        elf.Machine
		architecture string
		says         string
	}{
		"arm64":         {built: elf.EM_AARCH64, architecture: "arm64"},
		"x86_64":        {built: elf.EM_X86_64, architecture: "x86_64"},
		"arm64 given":   {built: elf.EM_AARCH64, architecture: "x86_64", says: "ingest/bootstrap is built for another machine (EM_AARCH64) than the parameter architecture says (x86_64): build it with 'make build LAMBDA_GOARCH=amd64'"},
		"x86_64 given":  {built: elf.EM_X86_64, architecture: "arm64", says: "(EM_X86_64) than the parameter architecture says (arm64): build it with 'make build LAMBDA_GOARCH=arm64'"},
		"anything else": {built: elf.EM_RISCV, architecture: "arm64", says: "(EM_RISCV)"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.fakeCDK("")
			directory := functions(t, test.built)
			err := f.run(&screen{}, 0, "synth", "--context=functionsDirectory="+directory, "-c", "architecture="+test.architecture, "--context", "version=1")
			if test.says != "" {
				require.ErrorContains(t, err, test.says)
				require.Empty(t, f.called(), "nothing is built for nothing")
				return
			}
			require.NoError(t, err)
			require.Equal(t, `go build -o bin/blox-cdk .
cdk synth --no-notices --ci=false --quiet --context=functionsDirectory=`+directory+` -c architecture=`+test.architecture+` --context version=1
`, f.called())
		})
	}
}

func TestGivenFunctionsThatAreNone(t *testing.T) {
	f := newFolder(t)
	f.fakeCDK("")
	run := func() error { return f.run(&screen{}, 0, "synth", "-c", "functionsDirectory=given") }
	require.ErrorContains(t, run(), "There is no "+filepath.Join(f.path, "given", "ingest", "bootstrap")+": functionsDirectory is to hold the built functions")

	require.NoError(t, os.Rename(functions(t, elf.EM_AARCH64), filepath.Join(f.path, "given")))
	require.NoError(t, run(), "a relative path begins where the app runs")
	f.write("given/api/bootstrap", "#!/bin/sh\n", 0o755)
	require.ErrorContains(t, run(), filepath.Join("api", "bootstrap")+" is no program for Linux")
}
