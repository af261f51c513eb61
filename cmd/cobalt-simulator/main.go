// Command cobalt-simulator serves the Cobalt API from memory, for demos and
// tests that have no account with Cobalt.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// stopTimeout is how long calls under way may take to end when told to stop.
const stopTimeout = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "cobalt-simulator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	address, options, err := parse(args)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           simulator.New(options),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // ends injected delays, too
	}
	fmt.Fprintf(os.Stderr, "listening on http://%s\n", listener.Addr())
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		stopped <- server.Shutdown(ending)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// parse reads the flags: where to listen, and what to serve.
func parse(args []string) (string, simulator.Options, error) {
	var options simulator.Options
	flags := pflag.NewFlagSet("cobalt-simulator", pflag.ContinueOnError)
	address := flags.String("listen", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	keys := flags.StringArray("api-key", []string{"demo-key"},
		"`KEY[=environment]` that opens an environment, test if not given; may be repeated")
	seed := flags.String("seed", "", "YAML `file` with applications, events and datastores to start from")
	flags.BoolVar(&options.Replace, "replace", false, "have writes replace what is there, where the contract leaves open whether they merge")
	flags.Float64Var(&options.RequestsPerSecond, "rate", 0, "requests per second that an environment allows; 0 is no limit")
	flags.IntVar(&options.Burst, "burst", 5, "requests that may come at once, where --rate is set")
	flags.DurationVar(&options.Pending, "pending", time.Second, "how long an execution is pending")
	flags.DurationVar(&options.Running, "running", 2*time.Second, "how long an execution is running")
	flags.DurationVar(&options.TokenTTL, "token-ttl", 24*time.Hour, "how long a session token lasts")
	if err := flags.Parse(args); err != nil {
		return "", options, err
	}
	if flags.NArg() > 0 {
		return "", options, fmt.Errorf("%d arguments too many: there are only flags", flags.NArg())
	}
	var err error
	if options.Keys, err = parseKeys(*keys); err != nil {
		return "", options, err
	}
	if *seed != "" {
		options.Seed, err = loadSeed(*seed)
	}
	return *address, options, err
}

// parseKeys never puts a key into its error.
func parseKeys(given []string) (map[string]string, error) {
	keys := map[string]string{}
	for i, pair := range given {
		key, environment, named := strings.Cut(pair, "=")
		if !named {
			environment = "test"
		}
		if key == "" || environment == "" {
			return nil, fmt.Errorf("--api-key number %d: want KEY or KEY=environment", i+1)
		}
		keys[key] = environment
	}
	return keys, nil
}

func loadSeed(path string) (*simulator.Seed, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return simulator.LoadSeed(file)
}
