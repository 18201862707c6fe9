package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/doctor"
	"github.com/blox/blox/internal/local"
)

// account answers what doctor asks of AWS, in the place of all services.
type account struct {
	*someAWS
	expired bool
	dead    int // messages in the dead-letter queue
	state   string
}

func newAccount(t *testing.T) *account {
	a := &account{someAWS: newAWS(t), state: "OK"}
	mux := http.NewServeMux()
	mux.Handle("/", a.Config.Handler)
	mux.HandleFunc("POST /sts", func(w http.ResponseWriter, _ *http.Request) {
		if a.expired {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>`)
			return
		}
		fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/ops/ann</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	})
	mux.HandleFunc("POST /sqs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprintf(w, `{"Attributes": {"ApproximateNumberOfMessages": "%d", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0"}}`, a.dead)
	})
	mux.HandleFunc("POST /cloudwatch/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		_, _ = w.Write(cbor.Encode(cbor.Map{"MetricAlarms": cbor.List{cbor.Map{
			"AlarmName": cbor.String("Blox-blox-event-lag"), "StateValue": cbor.String(a.state), "StateReason": cbor.String("Threshold crossed."),
			"AlarmDescription": cbor.String("Events are late. Look at the events queue."), "ActionsEnabled": cbor.Bool(true),
			"AlarmActions": cbor.List{cbor.String("arn:aws:sns:eu-west-1:123456789012:topic")},
		}}}))
	})
	a.Config.Handler = mux
	a.outputs += "<member><OutputKey>Installation</OutputKey><OutputValue>blox</OutputValue></member>" +
		"<member><OutputKey>EventsDeadLettersUrl</OutputKey><OutputValue>" + a.URL + "/sqs/events-dlq</OutputValue></member>"
	t.Setenv("AWS_ENDPOINT_URL_STS", a.URL+"/sts")
	t.Setenv("AWS_ENDPOINT_URL_SQS", a.URL+"/sqs")
	t.Setenv("AWS_ENDPOINT_URL_CLOUDWATCH", a.URL+"/cloudwatch")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	return a
}

// goldenOf is golden with the server's port taken out.
func (a *account) goldenOf(p printed, name string) {
	for _, text := range []*string{&p.stdout, &p.stderr, &p.line} {
		*text = strings.ReplaceAll(*text, a.URL, "http://api.example.com")
	}
	p.golden(name)
}

func TestDoctorOfAStack(t *testing.T) {
	a, s := newAccount(t), newSession(t)
	a.goldenOf(s.run("doctor --stack Blox-blox --auth iam"), "doctor")
	a.dead, a.state = 2, "ALARM"
	a.goldenOf(s.run("doctor --stack Blox-blox --auth iam -o json"), "doctor-json")
	require.NotEmpty(t, a.auth[0])
	a.refusal = "AccessDeniedException"
	a.goldenOf(s.run("doctor --stack Blox-blox --auth iam"), "doctor-denied")
	a.expired = true
	a.goldenOf(s.run("doctor --stack Blox-blox --auth iam"), "doctor-expired")
}

func TestDoctorWithoutAWS(t *testing.T) {
	s := newSession(t)
	got := s.run("doctor")
	require.Equal(t, exitOK, got.code, got.stdout+got.stderr)
	require.Contains(t, got.stdout, "no cluster is known yet")
	s.env[endpointEnv] = "http://127.0.0.1:1"
	got = s.run("doctor")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stdout, "cannot reach the Blox API at http://127.0.0.1:1")
	require.Equal(t, "blox: 1 of 9 results are failures\n", got.stderr)
}

func TestDoctorsFlags(t *testing.T) {
	s := newSession(t)
	for line, says := range map[string]string{
		"doctor --cluster edge":                   "a canary needs --cluster and --canary-task-definition: one of them is missing",
		"doctor --canary-task-definition a":       "one of them is missing",
		"doctor --canary-seconds 0":               "--canary-seconds 0: allowed are 1 to 600",
		"doctor --reconcile-minutes 61":           "--reconcile-minutes 61: allowed are 1 to 60",
		"doctor -o yaml":                          `--output "yaml": allowed are table and json`,
		"doctor now":                              "1 arguments",
		"doctor --auth basic":                     "allowed are none and iam",
		"doctor --endpoint http://x --stack Blox": "allowed is one of them",
	} {
		s.run(line).fails(exitUsage, says)
	}
}

// TestDoctorOfLocalMode lets the canary live in the simulator, and looks for it through all of Blox.
func TestDoctorOfLocalMode(t *testing.T) {
	for _, auth := range []string{local.AuthNone, local.AuthIAM} {
		t.Run(auth, func(t *testing.T) {
			keys := t.TempDir() + "/credentials"
			cfg := local.Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: local.StoreMemory, Demo: true, Instances: 3, Auth: auth}
			if auth == local.AuthIAM {
				cfg.CredentialsFile = keys
				t.Setenv("AWS_SHARED_CREDENTIALS_FILE", keys)
				t.Setenv("AWS_PROFILE", "blox-local")
			} else {
				t.Setenv("AWS_ACCESS_KEY_ID", "testing")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "testing")
			}
			system, err := local.Start(t.Context(), cfg)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, system.Stop(context.WithoutCancel(t.Context()))) })
			t.Setenv("AWS_REGION", "us-east-1")
			t.Setenv("AWS_ENDPOINT_URL_ECS", system.ECSURL())

			var stdout, stderr bytes.Buffer
			root := newRootCommand()
			root.SetOut(&stdout)
			root.SetErr(&stderr)
			// The first reconcile may not be through yet: until then doctor has to say so.
			require.Eventually(t, func() bool {
				for cluster, err := range system.Client().ListClusters(t.Context()) {
					if err == nil && cluster.LastReconciledAt != nil {
						return true
					}
				}
				return false
			}, time.Minute, 20*time.Millisecond)
			code := run(t.Context(), root, []string{
				"doctor", "--endpoint", system.APIURL(), "--auth", auth, "--cluster", "demo", "--canary-task-definition", "web", "-o", "json",
			}, &stderr)
			require.Equal(t, exitOK, code, stdout.String()+stderr.String())
			var report doctor.Report
			require.NoError(t, json.Unmarshal(stdout.Bytes(), &report))
			for _, result := range report.Results {
				if result.Check == "dead letters" {
					require.Equal(t, "3 queues, all empty", result.Seen)
				}
			}
			last := report.Results[len(report.Results)-1]
			require.Equal(t, "canary", last.Check)
			require.Equal(t, doctor.OK, last.Status)
			require.Contains(t, last.Seen, "a task in demo was seen RUNNING ")

			left, err := system.ECS().ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("demo"), DesiredStatus: "RUNNING"})
			require.NoError(t, err)
			described, err := system.ECS().DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("demo"), Tasks: left.TaskArns})
			require.NoError(t, err)
			require.NotEmpty(t, described.Tasks)
			for _, task := range described.Tasks {
				require.NotContains(t, aws.ToString(task.StartedBy), "blox-doctor", "the canary is gone")
			}
		})
	}
}

// A service of AWS that cannot be reached is not the Blox API.
func TestDoctorTellsWhichServiceDoesNotAnswer(t *testing.T) {
	s := newSession(t)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	got := s.run("doctor --stack Blox-blox")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stdout, "STS cannot be reached at http://127.0.0.1:1 (connect: connection refused): check the region")
	require.NotContains(t, got.stdout, "Blox API")
}
