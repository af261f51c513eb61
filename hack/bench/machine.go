package main

import (
	"cmp"
	"fmt"
	"runtime"
	"time"

	"github.com/prometheus/procfs"
)

// machine is where figures come from, without which they say little.
type machine struct {
	CPU      string  `json:"cpu"`
	Cores    int     `json:"cores"`
	MemoryGB float64 `json:"memoryGB"`
	Go       string  `json:"go"`
	Date     string  `json:"date"`
	// Load is what others asked of the machine when the benchmark began.
	Load float64 `json:"load"`
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, %.0f GB, %s, %s", cmp.Or(m.CPU, "unknown CPU"), m.Cores, m.MemoryGB, m.Go, m.Date)
}

func describeMachine() (machine, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return machine{}, fmt.Errorf("the benchmark reads /proc, which only Linux has: %w", err)
	}
	cpus, err := fs.CPUInfo()
	if err != nil {
		return machine{}, err
	}
	memory, err := fs.Meminfo()
	if err != nil {
		return machine{}, err
	}
	load, err := fs.LoadAvg()
	if err != nil {
		return machine{}, err
	}
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), Date: time.Now().UTC().Format(time.DateOnly), Load: load.Load1}
	if len(cpus) > 0 {
		m.CPU = cpus[0].ModelName
	}
	if memory.MemTotalBytes != nil {
		m.MemoryGB = float64(*memory.MemTotalBytes) / (1 << 30)
	}
	return m, nil
}

// usage is what a process has taken so far.
type usage struct {
	cpu       float64 // seconds
	rss, peak float64 // MB
}

func usageOf(pid int) (usage, error) {
	proc, err := procfs.NewProc(pid)
	if err != nil {
		return usage{}, err
	}
	stat, err := proc.Stat()
	if err != nil {
		return usage{}, err
	}
	status, err := proc.NewStatus()
	if err != nil {
		return usage{}, err
	}
	return usage{cpu: stat.CPUTime(), rss: float64(status.VmRSS) / 1e6, peak: float64(status.VmHWM) / 1e6}, nil
}
