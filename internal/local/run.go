package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/blox/blox/internal/sigv4"
)

// StartError says why nothing was started: something about the machine or the flags that the user can change.
type StartError struct{ err error }

func (e *StartError) Error() string { return e.err.Error() }
func (e *StartError) Unwrap() error { return e.err }

// Run starts everything, tells on cfg.Out where it is and what happens, and stops it when ctx ends, which is no error.
// A *StartError is about the start.
func Run(ctx context.Context, cfg Config) error {
	if cfg.Out == nil {
		cfg.Out = io.Discard
	}
	s, err := Start(ctx, cfg)
	if ctx.Err() != nil && s == nil {
		return nil // stopped while it was starting
	}
	if err != nil {
		return &StartError{err}
	}
	s.introduce()
	select {
	case <-ctx.Done():
		fmt.Fprintln(cfg.Out, "stopping")
	case err = <-s.Failed():
	}
	return errors.Join(err, s.Stop(ctx))
}

var introduction = template.Must(template.New("introduction").Parse(`Blox runs. Everything is simulated and in this process; Ctrl-C stops it.

  API             {{.API}}/v1
  ECS simulator   {{.ECS}}   account {{.Account}}, region {{.Region}}
  state           {{.Store}}

{{with .Exports}}Calls of the API must be signed{{$.KeyFrom}}.
{{end}}Try, in another terminal:

{{with .Exports}}  {{.}}
{{end}}  {{.Curl}} '{{.API}}/v1/instances{{if .Demo}}?cluster={{.Cluster}}{{end}}'
  {{.Curl}} '{{.API}}/v1/tasks?status=running'
  {{.Curl}} {{.API}}/v1/environments
  {{.Curl}} -N '{{.API}}/v1/stream/tasks?desiredStatus=running'
  bin/blox get instances{{.Flags}}
{{- if not .Exports}}
  export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION={{.Region}}
{{- end}}
{{- if not .Demo}}
  aws ecs create-cluster --cluster-name {{.Cluster}} --endpoint-url {{.ECS}}
{{- end}}
  aws ecs register-container-instance --cluster {{.Cluster}} --endpoint-url {{.ECS}}

`))

func (s *System) introduce() {
	curl, flags, exports, keyFrom := "curl", "", "", ""
	if !strings.HasSuffix(s.APIURL(), "127.0.0.1:8080") {
		flags = " --endpoint " + s.APIURL()
	}
	if s.keys != nil {
		flags += " --auth " + AuthIAM
		exports, keyFrom = s.keys.exports(), ", with a key that is of this run"
		if s.keys.file != "" {
			keyFrom = ", with a key of " + s.keys.file
		}
		curl = "curl --aws-sigv4 aws:amz:" + region + ":" + sigv4.ServiceName + " --user " + s.keys.curlUser()
	}
	// Written at once, so that no line of the narration gets in between; an output that is gone needs no introduction.
	var text strings.Builder
	_ = introduction.Execute(&text, map[string]any{
		"API": s.APIURL(), "ECS": s.ECSURL(), "Store": s.Store(), "Account": account, "Region": region,
		"Cluster": demoCluster, "Curl": curl, "Flags": flags, "Exports": exports, "KeyFrom": keyFrom, "Demo": s.cfg.Demo,
	})
	fmt.Fprint(s.cfg.Out, text.String())
}
