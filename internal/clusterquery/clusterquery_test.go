package clusterquery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/clusterquery"
)

func attributes(pairs ...string) clusterquery.Host {
	h := clusterquery.Host{Attributes: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		h.Attributes[pairs[i]] = pairs[i+1]
	}
	return h
}

func day(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

type example struct {
	expr    string
	matches []clusterquery.Host
	refuses []clusterquery.Host
}

func (e example) check(t *testing.T) {
	t.Helper()
	parsed, err := clusterquery.Parse(e.expr)
	require.NoError(t, err)
	require.Equal(t, e.expr, parsed.String())
	for _, h := range e.matches {
		ok, err := parsed.Matches(h)
		require.NoError(t, err)
		require.True(t, ok, "%s should match %+v", e.expr, h)
	}
	for _, h := range e.refuses {
		ok, err := parsed.Matches(h)
		require.NoError(t, err)
		require.False(t, ok, "%s should not match %+v", e.expr, h)
	}
}

// The examples of AWS's pages "cluster-query-language", "task-placement-constraints" and "constraint-examples", with the
// meaning AWS gives them in words.
func TestExamplesDocumentedByAWS(t *testing.T) {
	type hosts = []clusterquery.Host
	for _, e := range []example{
		{
			"attribute:ecs.instance-type == t2.small",
			hosts{attributes("ecs.instance-type", "t2.small")},
			hosts{attributes("ecs.instance-type", "t2.smaller"), attributes("ecs.instance-type", "t2xsmall"), attributes()},
		},
		{
			"attribute:ecs.availability-zone in [us-east-1a, us-east-1b]",
			hosts{attributes("ecs.availability-zone", "us-east-1a"), attributes("ecs.availability-zone", "us-east-1b")},
			hosts{attributes("ecs.availability-zone", "us-east-1c"), attributes()},
		},
		{
			"attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d",
			hosts{attributes("ecs.instance-type", "g2.2xlarge", "ecs.availability-zone", "us-east-1a")},
			hosts{attributes("ecs.instance-type", "g2.2xlarge", "ecs.availability-zone", "us-east-1d"), attributes("ecs.instance-type", "m4.large", "ecs.availability-zone", "us-east-1a")},
		},
		{
			"task:group == service:production",
			hosts{{TaskGroups: []string{"family:x", "service:production"}}},
			hosts{{}, {TaskGroups: []string{"service:production2"}}},
		},
		{
			"not(task:group == database)",
			hosts{{}, {TaskGroups: []string{"web"}}},
			hosts{{TaskGroups: []string{"web", "database"}}},
		},
		{"runningTasksCount == 1", hosts{{RunningTasksCount: 1}}, hosts{{}, {RunningTasksCount: 11}}},
		{
			"agentVersion < 1.14.5",
			hosts{{AgentVersion: "1.14.4"}, {AgentVersion: "1.9.12"}, {AgentVersion: "0.99.99"}},
			hosts{{AgentVersion: "1.14.5"}, {AgentVersion: "1.103.0"}, {AgentVersion: "2.0.0"}},
		},
		{
			"registeredAt < 2018-02-13",
			hosts{{RegisteredAt: day("2018-02-12T23:59:59Z")}},
			hosts{{RegisteredAt: day("2018-02-13T00:00:00Z")}, {RegisteredAt: day("2026-02-13T00:00:00Z")}},
		},
		{
			"ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']",
			hosts{{EC2InstanceID: "i-abcd1234"}, {EC2InstanceID: "i-wxyx7890"}},
			hosts{{EC2InstanceID: "i-abcd12345"}, {}},
		},
		{"attribute:ecs.instance-type == g2.2xlarge", hosts{attributes("ecs.instance-type", "g2.2xlarge")}, hosts{attributes()}},
		{"attribute:stack == prod", hosts{attributes("stack", "prod")}, hosts{attributes("stack", "Prod"), attributes()}},
		// "lists the instances with the custom attribute stack unless the attribute value is prod"
		{"attribute:stack != prod", hosts{attributes("stack", "dev")}, hosts{attributes("stack", "prod"), attributes()}},
		{"attribute:ecs.instance-type in [t2.small, t2.medium]", hosts{attributes("ecs.instance-type", "t2.medium")}, hosts{attributes("ecs.instance-type", "t2.large")}},
		{
			"attribute:ecs.instance-type =~ t2.* and attribute:ecs.availability-zone == us-east-1a",
			hosts{attributes("ecs.instance-type", "t2.nano", "ecs.availability-zone", "us-east-1a")},
			hosts{attributes("ecs.instance-type", "t2.nano", "ecs.availability-zone", "us-east-1b")},
		},
		{"attribute:ecs.instance-type =~ t2.*", hosts{attributes("ecs.instance-type", "t2.micro")}, hosts{attributes("ecs.instance-type", "xt2.micro")}},
		{"task:group == databases", hosts{{TaskGroups: []string{"databases"}}}, hosts{{}}},
		{"task:group == service:daemon-service", hosts{{TaskGroups: []string{"service:daemon-service"}}}, hosts{{}}},
		// The date formats of registeredAt.
		{"registeredAt == 2018-06-18T22:28:28+00:00", hosts{{RegisteredAt: day("2018-06-18T22:28:28Z")}}, hosts{{}}},
		{"registeredAt == 2018-06-18T22:28:28Z", hosts{{RegisteredAt: day("2018-06-18T22:28:28Z")}}, hosts{{}}},
		{"registeredAt == 2018-06-18T22:28:28", hosts{{RegisteredAt: day("2018-06-18T22:28:28Z")}}, hosts{{}}},
		{"registeredAt >= 2018-06-18", hosts{{RegisteredAt: day("2018-06-18T00:00:00Z")}}, hosts{{RegisteredAt: day("2018-06-17T23:59:59Z")}}},
	} {
		t.Run(e.expr, e.check)
	}
}

func TestEveryOperatorInBothSpellings(t *testing.T) {
	type hosts = []clusterquery.Host
	dev, prod, none := attributes("stack", "dev"), attributes("stack", "prod"), attributes()
	two, five := clusterquery.Host{RunningTasksCount: 2}, clusterquery.Host{RunningTasksCount: 5}
	for _, c := range []struct {
		spellings []string
		matches   hosts
		refuses   hosts
	}{
		{[]string{"attribute:stack == dev", "attribute:stack equals dev", "attribute:stack == 'dev'", `attribute:stack=="dev"`}, hosts{dev}, hosts{prod, none}},
		{[]string{"attribute:stack != dev", "attribute:stack not_equals dev"}, hosts{prod}, hosts{dev, none}},
		{[]string{"attribute:stack exists"}, hosts{dev, prod}, hosts{none}},
		{[]string{"attribute:stack !exists", "attribute:stack not_exists", "not attribute:stack exists", "!attribute:stack exists", "!(attribute:stack exists)"}, hosts{none}, hosts{dev, prod}},
		{[]string{"attribute:stack in [dev]", "attribute:stack in ['dev', \"test\"]"}, hosts{dev}, hosts{prod, none}},
		{[]string{"attribute:stack !in [dev, test]", "attribute:stack not_in [dev,test]"}, hosts{prod}, hosts{dev, none}},
		{[]string{"attribute:stack =~ d.v", "attribute:stack matches d.v", "attribute:stack =~ '(dev|test)'"}, hosts{dev}, hosts{prod, none}},
		{[]string{"attribute:stack !~ d.*", "attribute:stack not_matches d.*"}, hosts{prod}, hosts{dev, none}},
		{[]string{"runningTasksCount > 2", "runningTasksCount greater_than 2"}, hosts{five}, hosts{two}},
		{[]string{"runningTasksCount >= 2", "runningTasksCount greater_than_equal 2"}, hosts{two, five}, hosts{{RunningTasksCount: 1}}},
		{[]string{"runningTasksCount < 5", "runningTasksCount less_than 5"}, hosts{two}, hosts{five}},
		{[]string{"runningTasksCount <= 5", "runningTasksCount less_than_equal 5"}, hosts{two, five}, hosts{{RunningTasksCount: 6}}},
		{[]string{"runningTasksCount != 5"}, hosts{two}, hosts{five}},
		{[]string{"attribute:slots > 9"}, hosts{attributes("slots", "10")}, hosts{attributes("slots", "9"), none}},
		{[]string{"attribute:ring >= b"}, hosts{attributes("ring", "c")}, hosts{attributes("ring", "a")}},
		{[]string{"agentConnected == true", "agentConnected in [true]", "agentConnected != false", "agentConnected =~ t.*"}, hosts{{AgentConnected: true}}, hosts{{}}},
		{[]string{"agentVersion >= 1.103"}, hosts{{AgentVersion: "1.103.0"}, {AgentVersion: "v1.104.0-rc1"}}, hosts{{AgentVersion: "1.102.9"}, {}}},
		{[]string{"ec2InstanceId =~ mi-.*", "ec2InstanceId !~ i-.*"}, hosts{{EC2InstanceID: "mi-0123"}}, hosts{{EC2InstanceID: "i-0123"}}},
		{[]string{"task:group != db", "task:group !in [db, cache]", "task:group !~ d.*"}, hosts{{}, {TaskGroups: []string{"web"}}}, hosts{{TaskGroups: []string{"web", "db"}}}},
		{[]string{"task:group exists"}, hosts{{TaskGroups: []string{"web"}}}, hosts{{}}},
		{[]string{"task:group !exists"}, hosts{{}}, hosts{{TaskGroups: []string{"web"}}}},
	} {
		for _, expr := range c.spellings {
			t.Run(expr, example{expr, c.matches, c.refuses}.check)
		}
	}
}

func TestPrecedence(t *testing.T) {
	host := attributes("a", "1", "b", "1")
	for expr, want := range map[string]bool{
		"attribute:a == 1 or attribute:x == 1 and attribute:y == 1":             true,
		"(attribute:a == 1 or attribute:x == 1) and attribute:y == 1":           false,
		"attribute:a == 1 || attribute:x == 1 && attribute:y == 1":              true,
		"not attribute:a == 1 or attribute:b == 1":                              true,
		"not (attribute:a == 1 or attribute:b == 1)":                            false,
		"not not attribute:a == 1":                                              true,
		"((attribute:a == 1) && ((attribute:b == 1)))":                          true,
		"attribute:a == 1 and attribute:b == 1 and attribute:c exists":          false,
		"attribute:a == 1\n and\tattribute:b == 1 and not attribute:c   exists": true,
	} {
		parsed, err := clusterquery.Parse(expr)
		require.NoError(t, err, expr)
		got, err := parsed.Matches(host)
		require.NoError(t, err)
		require.Equal(t, want, got, expr)
	}
}

func TestErrorsNameThePlaceAndWhatIsAllowed(t *testing.T) {
	for _, c := range []struct {
		expr         string
		line, column int
		says         []string
	}{
		{"", 1, 1, []string{"empty", "subject operator argument"}},
		{"   ", 1, 1, []string{"empty"}},
		{"zone == a", 1, 1, []string{`unknown subject "zone"`, "attribute:NAME", "task:group"}},
		{"attribute: == a", 1, 1, []string{`unknown subject "attribute:"`}},
		{"== a", 1, 1, []string{`unexpected "=="`, "subject"}},
		{"(== a)", 1, 2, []string{`unexpected "=="`, "subject"}},
		{"attribute:a exists and == a", 1, 24, []string{`unexpected "=="`, "subject"}},
		{"attribute:a", 1, 12, []string{"end of the expression", "operator", "!exists"}},
		{"attribute:a is b", 1, 13, []string{`unexpected "is"`, "operator"}},
		{"attribute:a ==", 1, 15, []string{"end of the expression", "value"}},
		{"attribute:a == and attribute:b == c", 1, 16, []string{`unexpected "and"`, "value"}},
		{"attribute:a == b attribute:c == d", 1, 18, []string{`unexpected "attribute:c"`, `"and"`}},
		{"attribute:a == b and", 1, 21, []string{"end of the expression", "subject"}},
		{"attribute:a in b", 1, 16, []string{`unexpected "b"`, "brackets"}},
		{"attribute:a in []", 1, 17, []string{`unexpected "]"`, "value"}},
		{"attribute:a in [b", 1, 18, []string{"end of the expression", `"]"`}},
		{"(attribute:a == b", 1, 18, []string{"end of the expression", `")"`}},
		{"attribute:a == b)", 1, 17, []string{`unexpected ")"`}},
		{"attribute:a == b and\n  agentVersion in [1]", 2, 16, []string{"agentVersion", `"in"`, ">="}},
		{"agentVersion == latest", 1, 17, []string{`"latest"`, "1.14.5"}},
		{"agentConnected == yes", 1, 19, []string{`"yes"`, "true or false"}},
		{"agentConnected exists", 1, 16, []string{"agentConnected", `"exists"`}},
		{"runningTasksCount > few", 1, 21, []string{`"few"`, "whole number"}},
		{"registeredAt < yesterday", 1, 16, []string{`"yesterday"`, "2018-06-18"}},
		{"attribute:a =~ '('", 1, 16, []string{"regular expression"}},
		{"attribute:a == 'b", 1, 16, []string{`"'b"`, "quotes"}},
		{"attribute:a = b", 1, 13, []string{`"= b"`, "=="}},
		{"attribute:" + strings.Repeat("a", 2000) + " exists", 1, 2001, []string{"2017 characters", "at most 2000"}},
	} {
		t.Run(c.expr, func(t *testing.T) {
			_, err := clusterquery.Parse(c.expr)
			var syntax *clusterquery.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.Equal(t, []int{c.line, c.column}, []int{syntax.Line, syntax.Column}, err.Error())
			for _, part := range c.says {
				require.Contains(t, err.Error(), part)
			}
		})
	}
}

func TestAHostWithAnImpossibleAgentVersionIsAnError(t *testing.T) {
	parsed, err := clusterquery.Parse("agentVersion > 1.0.0")
	require.NoError(t, err)
	_, err = parsed.Matches(clusterquery.Host{EC2InstanceID: "i-1", AgentVersion: "newest"})
	require.ErrorContains(t, err, `"newest"`)
}

func TestParseNeverPanicsAndNegationIsItsOpposite(t *testing.T) {
	word := rapid.SampledFrom([]string{"attribute:a", "task:group", "runningTasksCount", "==", "!=", "in", "!", "not", "and", "or", "&&", "||", "(", ")", "[", "]", ",", "1", "'x y'", "exists", "=~", "a.*", "<", "\"", "~"})
	rapid.Check(t, func(t *rapid.T) {
		expr := strings.Join(rapid.SliceOfN(word, 0, 12).Draw(t, "words"), " ")
		parsed, err := clusterquery.Parse(expr)
		if err != nil {
			return
		}
		negated, err := clusterquery.Parse("not (" + expr + ")")
		if err != nil {
			t.Fatalf("%q parses but its negation does not: %v", expr, err)
		}
		host := clusterquery.Host{
			Attributes:        rapid.MapOf(rapid.Just("a"), rapid.SampledFrom([]string{"1", "ab"})).Draw(t, "attributes"),
			TaskGroups:        rapid.SliceOf(rapid.SampledFrom([]string{"1", "ab"})).Draw(t, "groups"),
			RunningTasksCount: rapid.IntRange(0, 2).Draw(t, "tasks"),
		}
		yes, err1 := parsed.Matches(host)
		no, err2 := negated.Matches(host)
		if err1 != nil || err2 != nil || yes == no {
			t.Fatalf("%q: %v %v, negated %v %v", expr, yes, err1, no, err2)
		}
	})
}
