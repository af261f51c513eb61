package children

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// childAttributes keep Ctrl-C from a child, which the parent stops in its own order, and end it with the parent even if
// that is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

const boundSuffix = ".bound"

// bound returns a stand-in, below dir, for a binary that somebody else starts: run in its place, it ends with the parent
// as childAttributes has it. The stand-in is the parent itself, which finds beside its name what to become.
func bound(dir, binary string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	standIn := filepath.Join(dir, filepath.Base(binary))
	if err := os.Symlink(binary, standIn+boundSuffix); err != nil {
		return "", err
	}
	return standIn, os.Symlink(self, standIn)
}

// BecomeBound replaces the process of a stand-in and does not return; in the parent it does nothing.
func BecomeBound() error {
	binary, err := os.Readlink(os.Args[0] + boundSuffix)
	if err != nil {
		return nil //nolint:nilerr // no such link: this is no stand-in
	}
	runtime.LockOSThread() // the setting belongs to the thread
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	return syscall.Exec(binary, append([]string{binary}, os.Args[1:]...), os.Environ())
}
