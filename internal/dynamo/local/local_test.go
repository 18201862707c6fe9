package local

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

func createTable(t *testing.T, client *dynamodb.Client, name string) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	})
	require.NoError(t, err)
}

// isGone requires that nothing listens any more.
func isGone(t *testing.T, s *Server) {
	t.Helper()
	_, err := net.DialTimeout("tcp", strings.TrimPrefix(s.Endpoint, "http://"), time.Second)
	require.Error(t, err)
}

func TestServerKeepsTablesInFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tables")
	server, err := Start(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	createTable(t, server.Client(), "kept")
	server.Stop()
	isGone(t, server)
	server.Stop() // does nothing

	server, err = Start(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	defer server.Stop()
	_, err = server.Client().DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("kept")})
	require.NoError(t, err)
}

func TestServerEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server, err := Start(ctx, Options{})
	require.NoError(t, err)
	createTable(t, server.Client(), "short-lived")
	cancel()
	<-server.process.ended
	isGone(t, server)
	server.Stop()
}

func TestStartRefusesBadPorts(t *testing.T) {
	listener, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	port := listener.Addr().(*net.TCPAddr).Port
	_, err = Start(t.Context(), Options{Port: port})
	require.ErrorContains(t, err, fmt.Sprintf("cannot listen on port %d, choose another or 0 for any", port))
	_, err = Start(t.Context(), Options{Port: 70000})
	require.ErrorContains(t, err, "a port is between 1 and 65535, or 0 for any")
}

// fakeJava makes Start run a script in place of the engine.
func fakeJava(t *testing.T, script string) {
	t.Helper()
	fakeNPM(t, makeEngine)
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "java"), []byte("#!/bin/sh\n"+script), 0o700)) //nolint:gosec // it must run
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

func TestStartReportsWhatTheEngineSaid(t *testing.T) {
	tries := filepath.Join(t.TempDir(), "tries")
	fakeJava(t, "echo x >> "+tries+"; echo this version of Java is too old >&2; exit 1")
	_, err := Start(t.Context(), Options{})
	require.ErrorIs(t, err, errExited)
	require.ErrorContains(t, err, "this version of Java is too old")
	log, err := os.ReadFile(tries) //nolint:gosec // our own file
	require.NoError(t, err)
	require.Equal(t, startAttempts, strings.Count(string(log), "x"), "another port may help")
}

func TestStartStopsWaitingWithItsContext(t *testing.T) {
	fakeJava(t, "exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	started := time.Now()
	_, err := Start(ctx, Options{})
	require.Error(t, err)
	require.Less(t, time.Since(started), 4*time.Second, "Start waits for the process that it has ended, no longer")
}

// TestServerDiesWithItsParent kills a process that runs a server, the way a
// test that times out dies, and looks for the server.
func TestServerDiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends children with their parent")
	}
	if os.Getenv("BLOX_TEST_PARENT") != "" {
		server, err := Start(context.Background(), Options{})
		if err != nil {
			fmt.Println("failed:", err)
			return
		}
		fmt.Println("port:", server.Endpoint[strings.LastIndex(server.Endpoint, ":")+1:])
		select {} // until killed
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestServerDiesWithItsParent$", "-test.v") //nolint:gosec // this test binary
	parent.Env = append(os.Environ(), "BLOX_TEST_PARENT=1")
	output, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	killed := false
	defer func() {
		if !killed {
			_ = parent.Process.Kill() // the test has failed already
		}
	}()
	port := 0
	for lines := bufio.NewScanner(output); port == 0 && lines.Scan(); {
		require.NotContains(t, lines.Text(), "failed:")
		if _, text, found := strings.Cut(lines.Text(), "port: "); found {
			port, err = strconv.Atoi(text)
			require.NoError(t, err)
		}
	}
	require.NotZero(t, port)
	address := "127.0.0.1:" + strconv.Itoa(port)
	connection, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()

	require.NoError(t, parent.Process.Kill())
	killed = true
	_ = parent.Wait() // it was killed, that is the error
	// The kernel closes the connection when the engine dies.
	require.NoError(t, connection.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = connection.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the engine outlived its parent")
}
