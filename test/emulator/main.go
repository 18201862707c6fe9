// Command emulator runs a deployed stack of Blox against an emulated account and proves that it works: run.sh calls it
// between the steps of the CDK's command.
//
//	emulator before  -work DIR   notes what is in the account
//	emulator prove   -work DIR   runs the deployed stack, and everything that is proven of it
//	emulator updated -work DIR   the stack was updated in place: the tables and what is in them are still there
//	emulator gone    -work DIR   the stack was destroyed: nothing of it is left
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/blox/blox/test/emulator/internal/account"
)

// options are the flags of all commands.
type options struct {
	account   *account.Account
	stack     string
	work      string // a folder for what one command tells the next
	empty     string // folder with the bootstrap of an empty function
	dependent string // the table of dependent permissions
	golden    string // the table of permissions as it should be
	update    bool   // write it
	command   string // the blox command
	retention string // what the update has set; it turned forwarding off, too
	out       io.Writer
}

var commands = map[string]func(context.Context, options) error{"before": before, "prove": prove, "updated": updated, "gone": gone}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	var name string
	if len(arguments) > 0 {
		name = arguments[0]
	}
	command, known := commands[name]
	if !known {
		return fmt.Errorf("the command %q is unknown: allowed are before, prove, updated and gone", name)
	}
	o := options{out: os.Stdout}
	flags := flag.NewFlagSet("emulator "+name, flag.ContinueOnError)
	flags.StringVar(&o.stack, "stack", "Blox-blox", "name of the stack")
	flags.StringVar(&o.work, "work", "", "folder for what one command tells the next")
	flags.StringVar(&o.empty, "empty", "", "folder with the bootstrap of an empty function, to compare starts with")
	flags.StringVar(&o.dependent, "dependent", "../../infra/cdk/dependent-permissions.json", "the table of dependent permissions")
	flags.StringVar(&o.golden, "permissions", "permissions.md", "the table of permissions")
	flags.BoolVar(&o.update, "update", false, "write the table of permissions in place of comparing it")
	flags.StringVar(&o.command, "command", "", "the blox command")
	flags.StringVar(&o.retention, "retention", "", "the retention in days that the update has set")
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	if o.work == "" {
		return errors.New("the flag -work is missing: give a folder")
	}
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		return errors.New("AWS_ENDPOINT_URL is not set: it is the emulated account's address; this program must never meet a real one")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return errors.New("AWS_REGION is not set")
	}
	key, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("the emulator wants credentials, any will do: %w", err)
	}
	o.account = account.New(account.Config{Endpoint: strings.TrimSuffix(endpoint, "/"), Region: cfg.Region, Credentials: cfg.Credentials})
	o.account.AccessKeyID = key.AccessKeyID
	return command(ctx, o)
}

func (o options) file(name string) string { return filepath.Join(o.work, name) }

func readLines(name string) ([]string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(strings.Split(string(data), "\n"), func(line string) bool { return line == "" }), nil
}

func writeLines(name string, lines []string) error {
	return os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}
