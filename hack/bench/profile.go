package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// profiled returns the flags that let an operator be profiled, and a function that takes the profiles: what it does in
// the seconds to come, and what it holds in memory. Without a folder for them it does nothing.
func (b *bench) profiled(ctx context.Context) (flags []string, take func(name string, seconds int) error, err error) {
	if b.options.profiles == "" {
		return nil, func(string, int) error { return nil }, nil
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	return []string{"--pprof-bind-address=" + address}, func(name string, seconds int) error {
		for file, path := range map[string]string{
			name + ".cpu.pprof": fmt.Sprintf("profile?seconds=%d", seconds), name + ".heap.pprof": "heap?gc=1",
		} {
			if err := download(ctx, "http://"+address+"/debug/pprof/"+path, filepath.Join(b.options.profiles, file)); err != nil {
				return err
			}
		}
		return nil
	}, os.MkdirAll(b.options.profiles, 0o755)
}

func download(ctx context.Context, url, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, response.Body)
	return errors.Join(err, file.Close())
}
