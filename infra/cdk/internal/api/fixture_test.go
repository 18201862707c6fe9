package api_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/blox/blox/infra/cdk/internal/api"
	"github.com/blox/blox/infra/cdk/internal/settings"
	"github.com/blox/blox/infra/cdk/internal/synthtest"
)

// documentPath is the API's document in OpenAPI 3.1, which the code under test does not read: it reads the 3.0 form.
const documentPath = "../../../../api/openapi.yaml"

const watchers = 20

// synthesized is what one run of the CDK made, for all tests.
var synthesized struct {
	own   template // of the API's own document
	small template // of testdata/openapi-3.0.yaml, with what the API's own document may not have
	// Of the small document with a change, and without one.
	changedModel, changedRoute, smallAgain template
	// findings of cdk-nag about the construct, and the rules that it found broken when nothing was suppressed.
	findings     []string
	unsuppressed []string
	// refused are the errors about testdata/refused/*.yaml, by the file's name.
	refused map[string]error
}

func TestMain(m *testing.M) { synthtest.Main(m, synthesize) }

func synthesize() error {
	app := awscdk.NewApp(nil)
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(nil), nil)
	own, err := build(app, "Own", documentPath)
	if err != nil {
		return err
	}
	small, err := build(app, "Small", "testdata/openapi.yaml")
	if err != nil {
		return err
	}
	synthesized.own, synthesized.small = templateOf(own), templateOf(small)
	if synthesized.findings, err = findings(own); err != nil {
		return err
	}
	if synthesized.unsuppressed, err = brokenRules(); err != nil {
		return err
	}
	if err := synthesizeChanged(); err != nil {
		return err
	}
	return synthesizeRefused()
}

// findings are cdk-nag's about the construct; the functions are not ours.
func findings(stack awscdk.Stack) ([]string, error) {
	annotations := assertions.Annotations_FromStack(stack)
	anything := assertions.Match_StringLikeRegexp(jsii.String("AwsSolutions-.*"))
	var all []string
	for _, messages := range []any{
		annotations.FindError(jsii.String("*"), anything), annotations.FindWarning(jsii.String("*"), anything),
	} {
		encoded, err := json.Marshal(messages)
		if err != nil {
			return nil, err
		}
		var decoded []struct {
			ID    string `json:"id"`
			Entry struct {
				Data string `json:"data"`
			} `json:"entry"`
		}
		if err := json.Unmarshal(encoded, &decoded); err != nil {
			return nil, err
		}
		for _, found := range decoded {
			if strings.Contains(found.ID, "/Api/") {
				all = append(all, found.ID+": "+found.Entry.Data)
			}
		}
	}
	return all, nil
}

// brokenRules are the rules that cdk-nag finds broken when every suppression is taken away.
func brokenRules() ([]string, error) {
	app := awscdk.NewApp(nil)
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(nil), nil)
	stack, err := build(app, "Unsuppressed", documentPath)
	if err != nil {
		return nil, err
	}
	for _, construct := range *stack.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if cfn, ok := construct.(awscdk.CfnResource); ok && cfn.GetMetadata(jsii.String("cdk_nag")) != nil {
			cfn.AddMetadata(jsii.String("cdk_nag"), object{"rules_to_suppress": []any{}})
		}
	}
	var rules []string
	found, err := findings(stack)
	if err != nil {
		return nil, err
	}
	for _, text := range found {
		rules = append(rules, ruleID.FindString(text))
	}
	slices.Sort(rules)
	return slices.Compact(rules), nil
}

var ruleID = regexp.MustCompile(`AwsSolutions-[A-Z]+[0-9]+`)

func synthesizeChanged() error {
	content, err := os.ReadFile("testdata/openapi-3.0.yaml")
	if err != nil {
		return err
	}
	directory, err := os.MkdirTemp("", "openapi")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	changed := func(from, to string) (template, error) {
		text := strings.ReplaceAll(string(content), from, to)
		if err := os.WriteFile(filepath.Join(directory, "openapi-3.0.yaml"), []byte(text), 0o600); err != nil {
			return nil, err
		}
		stack, err := build(awscdk.NewApp(nil), "Small", filepath.Join(directory, "openapi.yaml"))
		if err != nil {
			return nil, err
		}
		return templateOf(stack), nil
	}
	if synthesized.smallAgain, err = changed("", ""); err != nil {
		return err
	}
	if synthesized.changedModel, err = changed("minimum: 0", "minimum: 1"); err != nil {
		return err
	}
	synthesized.changedRoute, err = changed("/v1/streams:", "/v1/rivers:")
	return err
}

func synthesizeRefused() error {
	paths, err := filepath.Glob("testdata/refused/*-3.0.yaml")
	if err != nil {
		return err
	}
	synthesized.refused = map[string]error{}
	for _, path := range append(paths, "testdata/refused/missing-3.0.yaml") {
		name := strings.TrimSuffix(filepath.Base(path), "-3.0.yaml")
		_, synthesized.refused[name] = build(awscdk.NewApp(nil), "Refused", "testdata/refused/"+name+".yaml")
	}
	return nil
}

func build(app awscdk.App, name, document string) (awscdk.Stack, error) {
	stack := awscdk.NewStack(app, jsii.String(name), nil)
	function := func(id string, seconds float64) awslambda.Function {
		return awslambda.NewFunction(stack, jsii.String(id), &awslambda.FunctionProps{
			Runtime: awslambda.Runtime_NODEJS_22_X(), Handler: jsii.String("index.handler"),
			Code:    awslambda.Code_FromInline(jsii.String("exports.handler = async () => ({statusCode: 204})")),
			Timeout: awscdk.Duration_Seconds(jsii.Number(seconds)),
		})
	}
	made, err := api.New(stack, "Api", api.Props{
		Settings: &settings.Settings{Installation: "blox", Watchers: watchers, LogRetentionDays: 30, Tracing: true, OpenAPIPath: document},
		API:      function("ApiFunction", 29), Stream: function("StreamFunction", 330),
	})
	if err != nil {
		return nil, err
	}
	awscdk.NewCfnOutput(stack, jsii.String("ApiUrl"), &awscdk.CfnOutputProps{Value: made.URL})
	return stack, nil
}
