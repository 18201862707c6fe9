package blox_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/infra/cdk/internal/blox"
	"github.com/blox/blox/infra/cdk/internal/settings"
	"github.com/blox/blox/infra/cdk/internal/synthtest"
)

const passable = "arn:aws:iam::123456789012:role/log-agent"

// Three stacks are made once, for all tests: everything as it is by itself, every option turned, and a member's.
var standard, options, ofMember made

// made is a stack as CloudFormation gets it, and what cdk-nag finds in it.
type made struct {
	template template
	findings []string
}

func TestMain(m *testing.M) { synthtest.Main(m, synthesizeAll) }

func synthesizeAll() error {
	directory, err := os.MkdirTemp("", "blox-functions")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	for _, name := range []string{"ingest", "reconcile", "scheduler", "api"} {
		if err := os.MkdirAll(filepath.Join(directory, name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(directory, name, "bootstrap"), []byte(name), 0o755); err != nil {
			return err
		}
	}
	for _, one := range []struct {
		into  *made
		given map[string]any
	}{
		{&standard, map[string]any{}},
		{&options, map[string]any{
			"installation": "team-a", "retentionDays": "14", "reconcileMinutes": "1", "removalPolicy": "destroy", "customerKey": "true",
			"tracing": "true", "architecture": "x86_64", "passableRoleArns": passable, "watchers": "0", "alarmEmail": "on-call@example.com",
			"members": "210987654321/eu-west-1,123456789012/us-east-1", "externalId": "6c1d7d52", "version": "v1.2.3", "forwardChanges": "true",
		}},
		{&ofMember, map[string]any{
			"centralAccount": "123456789012", "centralRegion": "eu-west-1", "externalId": "6c1d7d52", "passableRoleArns": passable,
		}},
	} {
		one.given["functionsDirectory"] = directory
		one.given["openapiPath"] = "../../../../api/openapi.yaml"
		if *one.into, err = synthesize(one.given); err != nil {
			return err
		}
	}
	return nil
}

func synthesize(given map[string]any) (made, error) {
	s, err := settings.From(given)
	if err != nil {
		return made{}, err
	}
	app := awscdk.NewApp(nil)
	stack, err := blox.NewStack(app, s)
	if err != nil {
		return made{}, err
	}
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(nil), nil)
	raw, err := json.Marshal(assertions.Template_FromStack(stack, nil).ToJSON())
	if err != nil {
		return made{}, err
	}
	var m made
	if err := json.Unmarshal(raw, &m.template); err != nil {
		return made{}, err
	}
	for _, found := range *assertions.Annotations_FromStack(stack).FindError(jsii.String("*"), assertions.Match_AnyValue()) {
		m.findings = append(m.findings, fmt.Sprint(*found.Id, ": ", found.Entry.Data)) //nolint:staticcheck // deprecated in favour of a type that the bindings do not return
	}
	return m, nil
}

type object = map[string]any

type template struct {
	Resources  map[string]resource
	Outputs    map[string]object
	Parameters object
	Rules      object
}

type resource struct {
	Type                string
	Properties          object
	Metadata            object
	DependsOn           []string
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// ids are the logical ids of all resources of a type, sorted.
func (t template) ids(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		if t.Resources[id].Type == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// one is the only resource of a type whose logical id begins so: the CDK adds a hash.
func (t template) one(tb testing.TB, kind, prefix string) (string, object) {
	tb.Helper()
	var found []string
	for _, id := range t.ids(kind) {
		rest, ok := strings.CutPrefix(id, prefix)
		if ok && (rest == "" || len(rest) == 8 && strings.Trim(rest, "0123456789ABCDEF") == "") {
			found = append(found, id)
		}
	}
	require.Len(tb, found, 1, "resources of type %s with logical id %s…", kind, prefix)
	return found[0], t.Resources[found[0]].Properties
}

func (t template) function(tb testing.TB, name string) object {
	tb.Helper()
	_, properties := t.one(tb, "AWS::Lambda::Function", "Functions"+functionIDs[name])
	return properties
}

// functionIDs are the functions by name, with their construct's id.
var functionIDs = map[string]string{
	"ingest": "Ingest", "reconcile": "Reconcile", "dispatch": "Dispatch", "drive": "Drive", "api": "API", "stream": "Stream",
}

func getAtt(id, attribute string) object { return object{"Fn::GetAtt": []any{id, attribute}} }

func ref(id string) object { return object{"Ref": id} }

// text is any value of a template as text, for what joins literal text and references.
func text(tb testing.TB, value any) string {
	tb.Helper()
	raw, err := json.Marshal(value)
	require.NoError(tb, err)
	return string(raw)
}
