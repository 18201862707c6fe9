package cost

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Template is the part of a CloudFormation template that costs money.
type Template struct {
	resources map[string]resource
}

type resource struct {
	Type       string
	Properties map[string]any
}

// Parse reads a template as `cdk synth` writes it.
func Parse(r io.Reader) (*Template, error) {
	var t struct{ Resources map[string]resource }
	if err := json.NewDecoder(r).Decode(&t); err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	if len(t.Resources) == 0 {
		return nil, fmt.Errorf("reading the template: it has no Resources: a file such as cdk.out/Blox-blox.template.json is wanted")
	}
	return &Template{t.Resources}, nil
}

// of is the ids of all resources of a type, sorted.
func (t *Template) of(kind string) []string {
	var ids []string
	for id, r := range t.resources {
		if r.Type == kind {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// alarmMetrics counts the metrics that alarms look at: that is what is paid for. Expressions are free.
func (t *Template) alarmMetrics() float64 {
	count := 0.0
	for _, id := range t.of("AWS::CloudWatch::Alarm") {
		queries, _ := t.resources[id].Properties["Metrics"].([]any)
		if len(queries) == 0 {
			count++
		}
		for _, q := range queries {
			if query, ok := q.(map[string]any); ok && query["MetricStat"] != nil {
				count++
			}
		}
	}
	return count
}

var customMetric = regexp.MustCompile(`"Blox","([A-Za-z]+)","Installation"`)

// customMetrics are the metrics of Blox's own namespace that alarms or the dashboard show, which are all there are.
func (t *Template) customMetrics() []string {
	var names []string
	for _, id := range t.of("AWS::CloudWatch::Alarm") {
		if p := t.resources[id].Properties; p["Namespace"] == "Blox" {
			name, _ := p["MetricName"].(string)
			names = append(names, name)
		}
	}
	for _, id := range t.of("AWS::CloudWatch::Dashboard") {
		for _, found := range customMetric.FindAllStringSubmatch(joined(t.resources[id].Properties["DashboardBody"]), -1) {
			names = append(names, found[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// joined is a text with what CloudFormation fills in left out.
func joined(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		var b strings.Builder
		for _, part := range v {
			b.WriteString(joined(part))
		}
		return b.String()
	case map[string]any:
		return joined(v["Fn::Join"])
	default:
		return ""
	}
}

// function is one Lambda function.
type function struct {
	name     string
	memoryGB float64
	arm      bool
	traced   bool
	env      map[string]any
}

func (f function) price() Price {
	if f.arm {
		return lambdaARM
	}
	return lambdaX86
}

var functionID = regexp.MustCompile(`^Functions([A-Za-z]+)[0-9A-F]{8}$`)

// functionName is the name of the function with that id, empty if it is none of Blox's.
func functionName(id string) string {
	found := functionID.FindStringSubmatch(id)
	if len(found) < 2 {
		return ""
	}
	return strings.ToLower(found[1])
}

// function finds one by its name: ingest, reconcile, dispatch, drive, api or stream.
func (t *Template) function(name string) (function, error) {
	for _, id := range t.of("AWS::Lambda::Function") {
		if functionName(id) != name {
			continue
		}
		p := t.resources[id].Properties
		f := function{name: name, env: map[string]any{}}
		megabytes, ok := p["MemorySize"].(float64)
		if !ok {
			return f, fmt.Errorf("function %s has no MemorySize", name)
		}
		f.memoryGB = megabytes / 1024
		architectures, _ := p["Architectures"].([]any)
		f.arm = slices.Contains(architectures, any("arm64"))
		tracing, _ := p["TracingConfig"].(map[string]any)
		f.traced = tracing["Mode"] == "Active"
		environment, _ := p["Environment"].(map[string]any)
		if variables, ok := environment["Variables"].(map[string]any); ok {
			f.env = variables
		}
		return f, nil
	}
	return function{}, fmt.Errorf("the template has no function %s: is it that of an installation?", name)
}

// places counts the accounts and regions that are reconciled: the installation's own and its members.
func (f function) places() float64 {
	members, _ := f.env["BLOX_MEMBERS"].(string)
	if members == "" || members == "none" {
		return 1
	}
	return float64(2 + strings.Count(members, ","))
}

var rate = regexp.MustCompile(`^rate\(([0-9]+) minutes?\)$`)

// schedule is the minutes between two runs of the schedule that invokes a function.
func (t *Template) schedule(function string) (float64, error) {
	for _, id := range t.of("AWS::Scheduler::Schedule") {
		p := t.resources[id].Properties
		target, _ := p["Target"].(map[string]any)
		if functionName(referred(target["Arn"])) != function {
			continue
		}
		expression, _ := p["ScheduleExpression"].(string)
		every := rate.FindStringSubmatch(expression)
		if every == nil {
			return 0, fmt.Errorf("schedule %s is %q, not rate(N minutes)", id, expression)
		}
		return strconv.ParseFloat(every[1], 64)
	}
	return 0, fmt.Errorf("the template has no schedule for function %s", function)
}

// polled counts the queues that Lambda polls, standard and FIFO ones.
func (t *Template) polled() (standard, fifo float64) {
	for _, id := range t.of("AWS::Lambda::EventSourceMapping") {
		queue, ok := t.resources[referred(t.resources[id].Properties["EventSourceArn"])]
		switch {
		case !ok || queue.Type != "AWS::SQS::Queue":
		case queue.Properties["FifoQueue"] == true:
			fifo++
		default:
			standard++
		}
	}
	return standard, fifo
}

// referred is the id of the resource in {"Fn::GetAtt": [id, attribute]} or {"Ref": id}.
func referred(value any) string {
	v, _ := value.(map[string]any)
	if id, ok := v["Ref"].(string); ok {
		return id
	}
	if attribute, ok := v["Fn::GetAtt"].([]any); ok && len(attribute) > 0 {
		id, _ := attribute[0].(string)
		return id
	}
	return ""
}
