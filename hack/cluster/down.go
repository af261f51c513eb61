package main

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// down ends the node, if one runs, and removes what it left.
func down(l layout) error {
	pid, err := nodeOf(l)
	if err != nil {
		return err
	}
	if pid != 0 {
		if err := end(pid); err != nil {
			return err
		}
	}
	return errors.Join(removeCgroup(cgroupOf(l)), os.RemoveAll(l.state()))
}

// end kills the first process of the node and returns when the kernel has ended all others.
func end(pid int) error {
	process, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) { // it has just ended
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(process)
	if err := unix.PidfdSendSignal(process, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(process), Events: unix.POLLIN}}, -1)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func (l layout) lock() string { return filepath.Join(l.home, "node.lock") }

// takeLock is for the node that is about to start, and says no while another one runs.
func takeLock(l layout) (*os.File, error) {
	lock, err := os.OpenFile(l.lock(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another node has just been started here: %w", err), lock.Close())
	}
	return lock, nil
}

// writePID says in the lock who has it.
func writePID(lock *os.File, pid int) error {
	if err := lock.Truncate(0); err != nil {
		return err
	}
	_, err := lock.WriteAt([]byte(strconv.Itoa(pid)), 0)
	return err
}

// nodeOf returns the first process of the node that runs, or 0 if none does. A number in the lock that nobody holds
// is that of a node which ended, and may be anybody's by now.
func nodeOf(l layout) (int, error) {
	lock, err := os.Open(l.lock())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_SH|unix.LOCK_NB); err == nil {
		return 0, nil
	}
	text, err := os.ReadFile(l.lock())
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s is locked and names no process: %w", l.lock(), err)
	}
	return pid, nil
}

// cgroupOf is the name of the cgroup of all pods. Clones of the project on one machine have one each.
func cgroupOf(l layout) string {
	return fmt.Sprintf("cobalt-cluster-%08x", crc32.ChecksumIEEE([]byte(l.home)))
}

const cgroups = "/sys/fs/cgroup"

// hierarchies are the folders that have cgroups: one with version 2, one per controller with version 1.
func hierarchies() ([]string, error) {
	if _, err := os.Stat(filepath.Join(cgroups, "cgroup.controllers")); err == nil {
		return []string{cgroups}, nil
	}
	return filepath.Glob(filepath.Join(cgroups, "*"))
}

func makeCgroup(name string) error {
	parents, err := hierarchies()
	if err != nil {
		return err
	}
	for _, parent := range parents {
		if err := os.MkdirAll(filepath.Join(parent, name), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// removeCgroup removes the cgroup and those in it, which are empty of processes by now.
func removeCgroup(name string) error {
	parents, err := hierarchies()
	if err != nil {
		return err
	}
	for _, parent := range parents {
		var folders []string
		err := filepath.WalkDir(filepath.Join(parent, name), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				folders = append(folders, path)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, folder := range slices.Backward(folders) { // inner ones first; only rmdir removes a cgroup
			if err := unix.Rmdir(folder); err != nil {
				return fmt.Errorf("%s: %w", folder, err)
			}
		}
	}
	return nil
}
