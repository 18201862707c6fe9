// Package local runs DynamoDB Local, AWS's own engine, as a child process.
//
// The engine comes out of the npm package amplify-dynamodb-simulator, pinned by
// the embedded lock file and installed once into the user's cache directory; it
// needs Java. Only the package itself is installed: the libraries it declares
// serve its JavaScript wrapper, which is not used, and package.json overrides
// them with nothing.
package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Region is the region of every client of a local engine.
const Region = "us-east-1"

const (
	// startTimeout bounds the wait for the first answer; it takes about three
	// seconds on an idle machine.
	startTimeout = 30 * time.Second
	// stopTimeout is how long the engine may take to end when told to, before it
	// is killed.
	stopTimeout = 5 * time.Second
	// startAttempts bounds how often another port is tried when the one chosen
	// by the operating system was taken in the meantime.
	startAttempts = 3
)

// Options says how a server runs. The zero value is a server in memory on a
// port chosen by the operating system.
type Options struct {
	// Port to listen on, 0 for any.
	Port int
	// Dir keeps the tables in files, so that they outlive the server. It is made
	// if it does not exist. Empty keeps them in memory.
	Dir string
}

// Server is a running DynamoDB Local.
type Server struct {
	// Endpoint is its URL, such as http://127.0.0.1:41234.
	Endpoint string

	process *process
	stop    sync.Once
}

// Start installs DynamoDB Local if needed, starts it and waits until it answers.
// It runs until [Server.Stop] is called or ctx ends, whichever comes first; on
// Linux it also ends with this process, however that ends.
//
// Errors are one sentence that says what is missing and how to get it: Java,
// npm, the package, a free port.
func Start(ctx context.Context, options Options) (*Server, error) {
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	if err := checkPort(ctx, options.Port); err != nil {
		return nil, err
	}
	engine, err := install(ctx)
	if err != nil {
		return nil, err
	}
	if options.Dir != "" {
		if err := os.MkdirAll(options.Dir, 0o750); err != nil {
			return nil, fmt.Errorf("making the directory for DynamoDB Local's tables: %w", err)
		}
	}
	for attempt := 1; ; attempt++ {
		server, err := startOnce(ctx, java, engine, options)
		if err == nil || options.Port != 0 || attempt == startAttempts || !errors.Is(err, errExited) {
			return server, err
		}
	}
}

func findJava() (string, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return "", errors.New("DynamoDB Local needs a Java runtime and there is no java on the PATH: install one, version 17 or newer (Debian and Ubuntu: apt-get install default-jre-headless; macOS: brew install openjdk)")
	}
	return java, nil
}

func checkPort(ctx context.Context, port int) error {
	if port < 0 || port > 65535 {
		return fmt.Errorf("DynamoDB Local cannot listen on port %d: a port is between 1 and 65535, or 0 for any", port)
	}
	if port == 0 {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", ":"+strconv.Itoa(port))
	if err != nil {
		return fmt.Errorf("DynamoDB Local cannot listen on port %d, choose another or 0 for any: %w", port, err)
	}
	return listener.Close()
}

// freePort asks the operating system for a port. Another program may take it
// before the engine does; Start then tries again.
func freePort(ctx context.Context) (int, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", ":0")
	if err != nil {
		return 0, fmt.Errorf("finding a free port for DynamoDB Local: %w", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil || !ok {
		return 0, fmt.Errorf("finding a free port for DynamoDB Local: %w", err)
	}
	return address.Port, nil
}

func startOnce(ctx context.Context, java, engine string, options Options) (*Server, error) {
	port := options.Port
	if port == 0 {
		var err error
		if port, err = freePort(ctx); err != nil {
			return nil, err
		}
	}
	args := []string{
		"-Djava.library.path=" + filepath.Join(engine, "DynamoDBLocal_lib"),
		// One small service: a simple collector and the quick compiler start
		// faster and leave the machine to the tests.
		"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-jar", filepath.Join(engine, "DynamoDBLocal.jar"),
		"-port", strconv.Itoa(port), "-sharedDb",
	}
	if options.Dir == "" {
		args = append(args, "-inMemory")
	} else {
		args = append(args, "-dbPath", options.Dir)
	}
	p, err := startProcess(ctx, java, args)
	if err != nil {
		return nil, err
	}
	server := &Server{Endpoint: "http://127.0.0.1:" + strconv.Itoa(port), process: p}
	if err := server.waitReady(ctx); err != nil {
		server.Stop()
		return nil, err
	}
	return server, nil
}

// Stop ends the server and waits until it has ended. It may be called more than
// once.
func (s *Server) Stop() { s.stop.Do(s.process.end) }

// Client returns a new client of the server.
func (s *Server) Client() *dynamodb.Client { return NewClient(s.Endpoint) }

// NewClient returns a client of an engine that speaks DynamoDB's protocol at
// endpoint and does not check credentials.
func NewClient(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       Region,
		// Local engines name their files by the key: letters and digits only.
		Credentials: credentials.NewStaticCredentialsProvider("blox", "blox", ""),
	})
}
