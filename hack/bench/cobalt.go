package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

const apiKey = "bench-key"

// api is a simulator of its own, which counts what it is asked for.
type api struct {
	*simulator.Server

	origin string
}

// serve starts a simulator that allows so many calls a second; 0 is any number.
func serve(ctx context.Context, perSecond float64) (*api, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	handler := simulator.New(simulator.Options{
		Keys: map[string]string{apiKey: "bench"}, RequestsPerSecond: perSecond, Burst: vendorBurst, Running: time.Second,
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with the benchmark
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return &api{Server: handler, origin: "http://" + listener.Addr().String()}, nil
}

// What the vendor allows.
const (
	vendorRate  = 20
	vendorBurst = 5
)

// since returns the calls that came after a moment.
func (a *api) since(start time.Time) []simulator.Call {
	log := a.Log()
	for i, call := range log {
		if call.Time.After(start) {
			return log[i:]
		}
	}
	return nil
}

// refused counts the calls among these that met the server's limit.
func refused(calls []simulator.Call) int {
	count := 0
	for _, call := range calls {
		if call.Status == http.StatusTooManyRequests {
			count++
		}
	}
	return count
}

// first waits for a call, and returns when it came.
func (a *api) first(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := until(ctx, time.Minute, func() bool {
		log := a.Log()
		if len(log) > 0 {
			at = log[0].Time
		}
		return len(log) > 0
	})
	return at, err
}

func total(calls map[string]int) int {
	sum := 0
	for _, count := range calls {
		sum += count
	}
	return sum
}
