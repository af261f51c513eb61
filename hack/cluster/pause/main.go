// Command pause holds the namespaces of a pod while its containers come and go.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	signal.Ignore(syscall.SIGCHLD) // the kernel reaps the orphans of a pod that shares its processes
	<-end
}
