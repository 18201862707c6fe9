//go:build !linux

package local

import "os/exec"

// endWithParent does nothing where the kernel cannot: Stop, or the end of the
// context, ends the child.
func endWithParent(*exec.Cmd) {}

func terminate(cmd *exec.Cmd) error { return cmd.Process.Kill() }
