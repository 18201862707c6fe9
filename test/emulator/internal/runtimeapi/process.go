package runtimeapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// process is one running bootstrap and the Runtime API that it alone talks to.
type process struct {
	spec   *Spec
	cmd    *exec.Cmd
	server *http.Server
	calls  chan *invocation
	exited chan struct{}
	began  *beginning

	mu      sync.Mutex
	current *invocation
	failure string // an init error that it posted
	broken  bool   // it may not be used again
	took    bool   // an invocation
	waitErr error
	stopped sync.Once
}

// beginning is when things first happened in a process.
type beginning struct {
	mu              sync.Mutex
	at              time.Time
	ready, answered time.Duration
	told            bool
}

func (b *beginning) isReady() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ready == 0 {
		b.ready = time.Since(b.at)
	}
}

func (b *beginning) hasAnswered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answered == 0 {
		b.answered = time.Since(b.at)
	}
}

func (b *beginning) start() Start {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Start{Ready: b.ready, Answer: b.answered}
}

// firstAnswer gives the process's start, once.
func (p *process) firstAnswer() (Start, bool) {
	p.began.mu.Lock()
	defer p.began.mu.Unlock()
	if p.began.told || p.began.answered == 0 {
		return Start{}, false
	}
	p.began.told = true
	return Start{Ready: p.began.ready, Answer: p.began.answered}, true
}

func startProcess(ctx context.Context, spec *Spec, logs *logs) (*process, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &process{spec: spec, calls: make(chan *invocation), exited: make(chan struct{})}
	p.server = &http.Server{Handler: p.routes(), ReadHeaderTimeout: 10 * time.Second}
	// The process outlives the call that it is started for: only stop and its own exit end it.
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(spec.Directory, "bootstrap"))
	p.cmd.Dir = spec.Directory
	p.cmd.Env = environment(spec, listener.Addr().String())
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.cmd.Stderr = p.cmd.Stdout
	p.began = &beginning{at: time.Now()}
	go func() { _ = p.server.Serve(listener) }() // it ends with the process
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, p.server.Close())
	}
	go func() {
		readLines(out, logs)
		err := p.cmd.Wait()
		p.mu.Lock()
		p.waitErr, p.broken = err, true
		p.mu.Unlock()
		close(p.exited)
		_ = p.server.Close() // nobody is left to be answered
	}()
	return p, nil
}

// environment is what Lambda gives to a function of a custom runtime; nothing of this process's own gets through.
func environment(spec *Spec, api string) []string {
	variables := map[string]string{
		"PATH": "/usr/local/bin:/usr/bin/:/bin", "TZ": ":UTC", "LANG": "en_US.UTF-8",
		"LAMBDA_TASK_ROOT": spec.Directory, "_HANDLER": "bootstrap", "AWS_LAMBDA_RUNTIME_API": api,
		"AWS_REGION": spec.Region, "AWS_DEFAULT_REGION": spec.Region,
		"AWS_LAMBDA_FUNCTION_NAME": spec.Deployed, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(spec.MemoryMB), "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + spec.Deployed, "AWS_LAMBDA_LOG_STREAM_NAME": "emulated",
	}
	maps.Copy(variables, spec.Environment)
	maps.Copy(variables, spec.Extra)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		list = append(list, name+"="+variables[name])
	}
	return list
}

// maxLineBytes bounds a log line; CloudWatch Logs takes 256 KiB.
const maxLineBytes = 1 << 18

func readLines(from io.Reader, to *logs) {
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 4096), maxLineBytes)
	for lines.Scan() {
		to.add(lines.Text())
	}
	_, _ = io.Copy(io.Discard, from) // after a line too long: the process must not block on its output
}

func (p *process) usable() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.broken
}

// worked says whether it ever took an invocation.
func (p *process) worked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.took
}

// stop kills the process and waits for its end.
func (p *process) stop() {
	p.stopped.Do(func() {
		p.mu.Lock()
		p.broken = true
		p.mu.Unlock()
		if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return // it ends with this program's own end, its pipe being closed
		}
	})
	<-p.exited
}

func (p *process) exitReason() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure != "" {
		return p.failure
	}
	if p.waitErr != nil {
		return p.waitErr.Error()
	}
	return fmt.Sprint("exit status ", p.cmd.ProcessState.ExitCode())
}
