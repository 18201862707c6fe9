package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/stretchr/testify/require"
)

// This program is the function as well: started with a Runtime API, it serves it.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		if os.Getenv("REFUSE") != "" {
			fmt.Println("it lacks something")
			os.Exit(3)
		}
		lambda.Start(handle)
		return
	}
	os.Exit(m.Run())
}

type ask struct {
	Do   string `json:"do"`
	Gate string `json:"gate"` // a file: the function waits until it is gone
}

func handle(ctx context.Context, in ask) (any, error) {
	switch in.Do {
	case "fail":
		return nil, errors.New("as asked")
	case "panic":
		panic("as asked")
	case "exit":
		os.Exit(4)
	case "environment":
		return os.Environ(), nil
	case "context":
		deadline, _ := ctx.Deadline()
		lc, _ := lambdacontext.FromContext(ctx)
		return map[string]any{"left": time.Until(deadline).Seconds(), "arn": lc.InvokedFunctionArn, "memory": lambdacontext.MemoryLimitInMB}, nil
	case "wait":
		for i := 0; i < 1000; i++ {
			if open(in.Gate) {
				return "the gate is open", nil
			}
			<-time.After(10 * time.Millisecond)
		}
	case "stream":
		reader, writer := io.Pipe()
		go func() {
			_, _ = io.WriteString(writer, "one\n")
			for i := 0; i < 1000; i++ {
				if open(in.Gate) {
					break
				}
				<-time.After(10 * time.Millisecond)
			}
			_, _ = io.WriteString(writer, "two\n")
			_ = writer.Close()
		}()
		return &events.APIGatewayProxyStreamingResponse{StatusCode: 200, Body: reader}, nil
	}
	return map[string]any{"pid": os.Getpid()}, nil
}

// open says whether the file that holds a function back is gone.
func open(gate string) bool {
	_, err := os.Stat(gate)
	return err != nil
}

func function(t *testing.T, change func(*Spec)) *Function {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	directory := t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(directory, "bootstrap")))
	spec := Spec{
		Name: "test", Deployed: "test-abc", ARN: "arn:test", Directory: directory, Region: "us-east-1", Timeout: time.Minute, MemoryMB: 256,
		Environment: map[string]string{"COLOUR": "blue"}, Extra: map[string]string{"AWS_ACCESS_KEY_ID": "AKIATEST"}, Processes: 1,
	}
	if change != nil {
		change(&spec)
	}
	f := New(spec, nil)
	t.Cleanup(f.Close)
	return f
}

func invoke(t *testing.T, f *Function, in ask) string {
	t.Helper()
	out, err := f.Invoke(t.Context(), payload(t, in))
	require.NoError(t, err)
	return string(out)
}

func payload(t *testing.T, in ask) []byte {
	t.Helper()
	data, err := json.Marshal(in)
	require.NoError(t, err)
	return data
}

func gate(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gate")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	return file
}

func TestAProcessServesOneInvocationAfterTheOther(t *testing.T) {
	f := function(t, nil)
	first := invoke(t, f, ask{})
	require.Contains(t, first, "pid")
	require.Equal(t, first, invoke(t, f, ask{}))
	starts := f.Starts()
	require.Len(t, starts, 1)
	require.Positive(t, starts[0].Ready)
	require.Greater(t, starts[0].Answer, starts[0].Ready)
}

func TestTheEnvironmentIsLambdas(t *testing.T) {
	t.Setenv("LEAK", "this")
	f := function(t, nil)
	var environment []string
	require.NoError(t, json.Unmarshal([]byte(invoke(t, f, ask{Do: "environment"})), &environment))
	for _, want := range []string{"COLOUR=blue", "AWS_ACCESS_KEY_ID=AKIATEST", "AWS_REGION=us-east-1", "AWS_LAMBDA_FUNCTION_NAME=test-abc", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256"} {
		require.Contains(t, environment, want)
	}
	require.NotContains(t, strings.Join(environment, " "), "LEAK")
	var context struct {
		Left   float64
		ARN    string
		Memory int
	}
	require.NoError(t, json.Unmarshal([]byte(invoke(t, f, ask{Do: "context"})), &context))
	require.InDelta(t, 60, context.Left, 10)
	require.Equal(t, "arn:test", context.ARN)
	require.Equal(t, 256, context.Memory)
}

func TestFailuresAreFunctionErrors(t *testing.T) {
	f := function(t, nil)
	for do, want := range map[string]string{"fail": "errorString: as asked", "panic": "as asked", "exit": "exit status 4"} {
		_, err := f.Invoke(t.Context(), payload(t, ask{Do: do}))
		var failed *FunctionError
		require.ErrorAs(t, err, &failed, do)
		require.ErrorContains(t, err, want)
		require.Contains(t, invoke(t, f, ask{}), "pid", "the next invocation gets a process that works, after %s", do)
	}
}

func TestAFunctionThatCannotStartSaysWhy(t *testing.T) {
	f := function(t, func(s *Spec) { s.Environment["REFUSE"] = "yes" })
	_, err := f.Invoke(t.Context(), payload(t, ask{}))
	require.ErrorContains(t, err, "exit status 3")
	require.Equal(t, []string{"it lacks something"}, f.Logs())
}

func TestTheTimeoutIsEnforced(t *testing.T) {
	f := function(t, func(s *Spec) { s.Timeout = 300 * time.Millisecond })
	_, err := f.Invoke(t.Context(), payload(t, ask{Do: "wait", Gate: gate(t)}))
	require.ErrorContains(t, err, "task timed out after 0.30 seconds")
}

func TestAnAnswerIsStreamed(t *testing.T) {
	f := function(t, nil)
	file := gate(t)
	stream, err := f.Stream(t.Context(), payload(t, ask{Do: "stream", Gate: file}))
	require.NoError(t, err)
	require.True(t, stream.Streaming)
	buffer := make([]byte, 1024)
	var read string
	for !strings.Contains(read, "one") {
		n, err := stream.Read(buffer)
		require.NoError(t, err)
		read += string(buffer[:n])
	}
	require.Contains(t, read, "{\"statusCode\":200")
	require.Contains(t, read, "\x00\x00\x00\x00\x00\x00\x00\x00one")
	require.NotContains(t, read, "two", "the function has not written it yet")
	require.NoError(t, os.Remove(file))
	rest, err := io.ReadAll(stream)
	require.NoError(t, err)
	require.Equal(t, "two\n", string(rest))
}

func TestAReservedConcurrencyThrottles(t *testing.T) {
	f := function(t, func(s *Spec) { s.Throttle = true })
	file := gate(t)
	stream, err := f.Stream(t.Context(), payload(t, ask{Do: "stream", Gate: file}))
	require.NoError(t, err)
	_, err = f.Invoke(t.Context(), payload(t, ask{}))
	require.ErrorIs(t, err, ErrThrottled)
	require.NoError(t, os.Remove(file))
	_, err = io.Copy(io.Discard, stream)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := f.Invoke(t.Context(), payload(t, ask{}))
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
}

func TestAFreshProcessIsMeasuredAndEnded(t *testing.T) {
	f := function(t, nil)
	for range 2 {
		start, err := f.Fresh(t.Context(), payload(t, ask{}))
		require.NoError(t, err)
		require.Positive(t, start.Ready)
		require.Greater(t, start.Answer, start.Ready)
	}
	require.Len(t, f.Starts(), 2)
	require.Empty(t, f.all)
}
