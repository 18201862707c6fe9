// Command cdk is the CDK app of Blox: it makes the stack of an installation, or, with centralAccount and centralRegion
// in its context, that of a member. The stacks are put together in internal/blox, out of the packages beside it; the
// parameters are described in internal/settings. README.md has a map.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/blox"
	"github.com/blox/blox/infra/cdk/internal/settings"
)

func main() {
	if err := synthesize(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func synthesize() error {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	context, ok := app.Node().GetAllContext(nil).(map[string]any)
	if !ok {
		return fmt.Errorf("the context of the CDK is %T, not an object", app.Node().GetAllContext(nil))
	}
	s, err := settings.From(context)
	if err != nil {
		return err
	}
	// The CDK command says where its credentials and configuration lead.
	if err := s.CheckHome(os.Getenv("CDK_DEFAULT_ACCOUNT"), os.Getenv("CDK_DEFAULT_REGION")); err != nil {
		return err
	}
	if _, err := blox.NewStack(app, s); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}
