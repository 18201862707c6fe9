package observability_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/infra/cdk/internal/observability"
	"github.com/blox/blox/infra/cdk/internal/settings"
)

// rule is how an alarm decides, in one line each: statistic, period in seconds, comparison, threshold, bad periods of
// those looked at, and what silence is.
type rule struct {
	metric    string
	statistic string
	period    float64
	bad       string
	of        [2]float64
	silence   string
}

const (
	atLeast = ">="
	below   = "<"
	good    = "notBreaching"
	bad     = "breaching"
)

func ruleOf(t *testing.T, alarm map[string]any) rule {
	t.Helper()
	r := rule{silence: alarm["TreatMissingData"].(string)}
	r.of = [2]float64{alarm["DatapointsToAlarm"].(float64), alarm["EvaluationPeriods"].(float64)}
	threshold, err := json.Marshal(alarm["Threshold"])
	require.NoError(t, err)
	r.bad = map[string]string{
		"GreaterThanOrEqualToThreshold": atLeast, "LessThanThreshold": below,
	}[alarm["ComparisonOperator"].(string)] + string(threshold)
	if alarm["Metrics"] != nil {
		for _, m := range alarm["Metrics"].([]any) {
			if expression, ok := m.(map[string]any)["Expression"]; ok {
				r.metric = expression.(string)
			}
		}
		return r
	}
	r.metric = alarm["Namespace"].(string) + " " + alarm["MetricName"].(string)
	r.period = alarm["Period"].(float64)
	if s, ok := alarm["Statistic"]; ok {
		r.statistic = s.(string)
	} else {
		r.statistic = alarm["ExtendedStatistic"].(string)
	}
	return r
}

// messagesFailed are the metrics of the functions that hand messages of a batch back: Lambda counts no error then.
var messagesFailed = map[string]string{
	"ingest": "IngestMessagesFailed", "reconcile": "ReconcileMessagesFailed", "drive": "DriveMessagesFailed",
}

// A threshold that moves moves what people are woken up for: it is to be changed here as well, on purpose.
func TestAlarms(t *testing.T) {
	want := map[string]rule{
		"events-waiting":               {"AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", 60, ">=120", [2]float64{3, 5}, good},
		"event-lag":                    {"Blox EventLagMillis", "p90", 60, ">=120000", [2]float64{3, 5}, good},
		"dispatch-behind":              {"AWS/Lambda IteratorAge", "Maximum", 60, ">=60000", [2]float64{5, 5}, good},
		"wakeups-waiting":              {"AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", 60, ">=1200", [2]float64{5, 5}, good},
		"drive-silent":                 {"AWS/Lambda Invocations", "Sum", 300, "<1", [2]float64{3, 3}, bad},
		"api-failing":                  {"AWS/ApiGateway 5XXError", "Sum", 300, ">=1", [2]float64{2, 3}, good},
		"function-calls-failing":       {"Blox FunctionCallsFailed", "Sum", 300, ">=1", [2]float64{2, 3}, good},
		"clusters-unsynced":            {"Blox ClustersUnsynced", "Maximum", 300, ">=1", [2]float64{3, 3}, bad},
		"absences-held-back":           {"Blox HeldAbsent", "Sum", 300, ">=1", [2]float64{1, 1}, good},
		"events-missing":               {"Blox DriftRepaired", "Sum", 900, ">=50", [2]float64{3, 3}, good},
		"hosts-without-healthy-daemon": {"Blox HostsWithoutHealthyDaemon", "Maximum", 900, ">=1", [2]float64{1, 1}, good},
		"deployments-stuck":            {"Blox DeploymentsStuck", "Maximum", 900, ">=1", [2]float64{1, 1}, good},
		"deployments-failed":           {"Blox DeploymentsFailed", "Sum", 300, ">=1", [2]float64{1, 1}, good},
		"environments-blocked":         {"Blox EnvironmentsBlocked", "Maximum", 900, ">=1", [2]float64{1, 1}, good},
		"daemon-table-throttled":       {"FILL(reads, 0) + FILL(writes, 0)", "", 0, ">=50", [2]float64{3, 3}, good},
		"state-table-throttled": {
			"FILL(reads, 0) + FILL(writes, 0) + FILL(byInstance, 0) + FILL(byStartedBy, 0) + FILL(byGroup, 0)",
			"", 0, ">=50",
			[2]float64{3, 3},
			good,
		},
	}
	for _, queue := range deadLetters {
		want["dead-letters-"+queue] = rule{"AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", 300, ">=1", [2]float64{1, 1}, good}
	}
	for _, function := range []string{"ingest", "reconcile", "dispatch", "drive", "api", "stream"} {
		want["errors-"+function] = rule{"AWS/Lambda Errors", "Sum", 300, ">=1", [2]float64{2, 3}, good}
		if messagesFailed[function] != "" {
			want["errors-"+function] = rule{"FILL(errors, 0) + FILL(messages, 0)", "", 0, ">=1", [2]float64{2, 3}, good}
		}
		want["throttles-"+function] = rule{"AWS/Lambda Throttles", "Sum", 300, ">=1", [2]float64{2, 3}, good}
	}
	got := map[string]rule{}
	for _, alarm := range standard().of("AWS::CloudWatch::Alarm") {
		name, ok := strings.CutPrefix(alarm["AlarmName"].(string), observability.Prefix("blox"))
		require.True(t, ok, "%v: alarms are found by the name of their stack", alarm["AlarmName"])
		got[name] = ruleOf(t, alarm)
	}
	require.Equal(t, want, got)
	require.Len(t, standard().made.Alarms, len(want))
}

// Which queue, function or table an alarm looks at is as easily mixed up as its threshold.
func TestAlarmsLookAtTheirOwn(t *testing.T) {
	dimension := func(name string) string {
		for _, alarm := range standard().of("AWS::CloudWatch::Alarm") {
			if alarm["AlarmName"] == "Blox-blox-"+name {
				d := alarm["Dimensions"].([]any)[0].(map[string]any)
				// The name of a function that is deployed elsewhere is cut out of its ARN by CloudFormation.
				value, err := json.Marshal(d["Value"])
				require.NoError(t, err)
				return d["Name"].(string) + "=" + regexp.MustCompile(`([a-z.-]+)[^a-z.-]*$`).FindStringSubmatch(string(value))[1]
			}
		}
		return ""
	}
	for _, queue := range deadLetters {
		require.Equal(t, "QueueName="+queue+"-dlq", dimension("dead-letters-"+queue))
	}
	for _, function := range []string{"ingest", "reconcile", "dispatch", "drive", "api", "stream"} {
		if messagesFailed[function] == "" {
			require.Equal(t, "FunctionName="+function, dimension("errors-"+function))
		}
		require.Equal(t, "FunctionName="+function, dimension("throttles-"+function))
	}
	require.Equal(t, "QueueName=events", dimension("events-waiting"))
	require.Equal(t, "QueueName=wakeups", dimension("wakeups-waiting"))
	require.Equal(t, "FunctionName=dispatch", dimension("dispatch-behind"))
	require.Equal(t, "FunctionName=drive", dimension("drive-silent"))
	require.Equal(t, "Installation=blox", dimension("hosts-without-healthy-daemon"))

	for id, tables := range map[string][]string{
		"daemon-table-throttled": {"daemon", "daemon"},
		"state-table-throttled":  {"state", "state", "state byGroup", "state byInstance", "state byStartedBy"},
	} {
		var seen []string
		for _, alarm := range standard().of("AWS::CloudWatch::Alarm") {
			if alarm["AlarmName"] != "Blox-blox-"+id {
				continue
			}
			for _, m := range alarm["Metrics"].([]any) {
				if stat, ok := m.(map[string]any)["MetricStat"]; ok {
					values := map[string]string{}
					for _, d := range stat.(map[string]any)["Metric"].(map[string]any)["Dimensions"].([]any) {
						values[d.(map[string]any)["Name"].(string)] = d.(map[string]any)["Value"].(string)
					}
					seen = append(seen, strings.TrimSpace(values["TableName"]+" "+values["GlobalSecondaryIndexName"]))
				}
			}
		}
		slices.Sort(seen)
		require.Equal(t, tables, seen, id)
	}
}

// A function whose messages all fail has no errors, as Lambda counts them.
func TestErrorsCountTheMessagesThatWereHandedBack(t *testing.T) {
	seen := map[string]bool{}
	for _, alarm := range standard().of("AWS::CloudWatch::Alarm") {
		function, ok := strings.CutPrefix(alarm["AlarmName"].(string), "Blox-blox-errors-")
		if !ok || messagesFailed[function] == "" {
			continue
		}
		seen[function] = true
		stats := map[string]map[string]any{}
		for _, m := range alarm["Metrics"].([]any) {
			if stat, ok := m.(map[string]any)["MetricStat"].(map[string]any); ok {
				require.Equal(t, "Sum", stat["Stat"])
				require.InDelta(t, 300, stat["Period"], 0)
				stats[m.(map[string]any)["Id"].(string)] = stat["Metric"].(map[string]any)
			}
		}
		require.Len(t, stats, 2)
		require.Equal(t, "AWS/Lambda", stats["errors"]["Namespace"])
		require.Equal(t, "Errors", stats["errors"]["MetricName"])
		of, err := json.Marshal(stats["errors"]["Dimensions"])
		require.NoError(t, err)
		require.Contains(t, string(of), ":function:"+function+`"`)
		require.Equal(t, map[string]any{
			"Namespace": "Blox", "MetricName": messagesFailed[function],
			"Dimensions": []any{map[string]any{"Name": "Installation", "Value": "blox"}},
		}, stats["messages"])
	}
	require.Len(t, seen, len(messagesFailed))
}

// Throttles of streams mean the cap where there is one, and the account's concurrency where there is none.
func TestWithoutACapNobodySaysThatItIsReached(t *testing.T) {
	throttles := func(d *deployment) string {
		for _, alarm := range d.of("AWS::CloudWatch::Alarm") {
			if alarm["AlarmName"] == "Blox-blox-throttles-stream" {
				return alarm["AlarmDescription"].(string)
			}
		}
		return ""
	}
	require.Contains(t, throttles(standard()), "raise the parameter watchers")
	uncapped := throttles(synthesize(func(s *settings.Settings) { s.Watchers = 0 }))
	require.Contains(t, uncapped, "the account's concurrency is used up")
	require.NotContains(t, uncapped, "watchers")
}

// CloudWatch refuses an alarm that looks back further than a day.
func TestTheLongestSweepFitsAnAlarm(t *testing.T) {
	d := synthesize(func(s *settings.Settings) { s.ReconcileMinutes = 60 })
	for _, alarm := range d.of("AWS::CloudWatch::Alarm") {
		if alarm["AlarmName"] == "Blox-blox-clusters-unsynced" {
			require.InDelta(t, 3600, alarm["Period"], 0)
			require.LessOrEqual(t, alarm["Period"].(float64)*alarm["EvaluationPeriods"].(float64), 86400.0)
			return
		}
	}
	t.Fatal("there is no such alarm")
}

func statements(t *testing.T, policies map[string]map[string]any) []map[string]any {
	t.Helper()
	require.Len(t, policies, 1)
	var all []map[string]any
	for _, policy := range policies {
		for _, s := range policy["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			all = append(all, s.(map[string]any))
		}
	}
	return all
}

func TestTopicTakesAlarmsOfThisAccountOnly(t *testing.T) {
	all := statements(t, standard().of("AWS::SNS::TopicPolicy"))
	var allowed, denied []map[string]any
	for _, s := range all {
		if s["Effect"] == "Allow" {
			allowed = append(allowed, s)
		} else {
			denied = append(denied, s)
		}
	}
	require.Len(t, allowed, 1)
	require.Equal(t, map[string]any{"Service": "cloudwatch.amazonaws.com"}, allowed[0]["Principal"])
	require.Equal(t, "sns:Publish", allowed[0]["Action"])
	require.Equal(t, map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": "123456789012"}}, allowed[0]["Condition"])
	require.Len(t, denied, 1)
	require.Equal(t, map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}}, denied[0]["Condition"])
	require.Empty(t, standard().of("AWS::SNS::Subscription"), "nobody was named")
}

func TestAlarmEmailIsSubscribed(t *testing.T) {
	d := synthesize(func(s *settings.Settings) { s.AlarmEmail = "on-call@example.com" })
	subscriptions := d.of("AWS::SNS::Subscription")
	require.Len(t, subscriptions, 1)
	for _, subscription := range subscriptions {
		require.Equal(t, "email", subscription["Protocol"])
		require.Equal(t, "on-call@example.com", subscription["Endpoint"])
	}
}

// Whoever disables the key that the tables are encrypted with must hear of what stops then.
func TestAlarmsNeedNoKey(t *testing.T) {
	d := synthesize(func(s *settings.Settings) { s.CustomerKey = true })
	topics := d.of("AWS::SNS::Topic")
	require.Len(t, topics, 1)
	for _, topic := range topics {
		require.NotContains(t, topic, "KmsMasterKeyId")
	}
	require.Empty(t, d.findings)
}

// metricsOfFunctions are the names that package metrics of the product has.
func metricsOfFunctions(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("../../../../internal/metrics/metrics.go")
	require.NoError(t, err)
	var names []string
	for _, metric := range regexp.MustCompile(`(?m)^\t\w+\s+Name = "(\w+)"$`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, metric[1])
	}
	require.Greater(t, len(names), 10)
	return names
}

func TestDashboardShowsEveryMetricOfBlox(t *testing.T) {
	dashboards := standard().of("AWS::CloudWatch::Dashboard")
	require.Len(t, dashboards, 1)
	for _, dashboard := range dashboards {
		require.Equal(t, "Blox-blox-eu-west-1", dashboard["DashboardName"])
		text, err := json.Marshal(dashboard["DashboardBody"])
		require.NoError(t, err)
		shown := map[string]bool{}
		for _, metric := range regexp.MustCompile(`\\"Blox\\",\\"([A-Za-z]+)\\",\\"Installation\\"`).FindAllStringSubmatch(string(text), -1) {
			shown[metric[1]] = true
		}
		searched := regexp.MustCompile(`SEARCH\('{Blox,Installation,Cluster} MetricName=\\+"(\w+)\\+" Installation=\\+"blox\\+"', 'Maximum', 900\)`)
		for _, metric := range searched.FindAllStringSubmatch(string(text), -1) {
			shown[metric[1]] = true
		}
		want := append(metricsOfFunctions(t), "FunctionCallsFailed")
		slices.Sort(want)
		require.Equal(t, want, slices.Sorted(maps.Keys(shown)))
		for _, title := range []string{"Freshness", "Events", "Reconcile", "Rollouts", "API", "What is paid for"} {
			require.Contains(t, string(text), "## "+title)
		}
		alarms := regexp.MustCompile(`:alarm:Blox-blox-[a-z-]+`).FindAllString(string(text), -1)
		slices.Sort(alarms)
		require.Len(t, slices.Compact(alarms), len(standard().made.Alarms), "every alarm")
	}
}

func TestNagFindsNothing(t *testing.T) {
	require.Empty(t, standard().findings)
}
