package local

import (
	"os/exec"
	"syscall"
)

// endWithParent makes the kernel kill the child when this process dies, even
// if it is killed itself: a test that times out leaves no Java behind.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

func terminate(cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) }
