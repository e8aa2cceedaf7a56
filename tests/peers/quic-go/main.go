// The quic-go peer of the tests and benchmarks: server or client of the protocol gimlet-interop (../README.md).
package main

import (
	"fmt"
	"os"
	"runtime"
)

// The library's version, as Debian 12 has it.
const library = "quic-go 0.29.0"

func main() {
	// The buffers are set by --socket-buffer; the library's advice would be a line among the events.
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	if len(os.Args) < 2 {
		usage("client or server?")
	}
	options, err := parse(os.Args[2:])
	if err != nil {
		usage(err.Error())
	}
	if options.keyUpdatePackets > 0 {
		keyUpdateInterval = options.keyUpdatePackets
	}
	if options.threads > 0 {
		runtime.GOMAXPROCS(options.threads)
	}
	switch os.Args[1] {
	case "server":
		err = serve(options)
	case "client":
		os.Exit(runClient(options))
	default:
		usage("neither client nor server: " + os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func usage(problem string) {
	fmt.Fprintln(os.Stderr, problem)
	fmt.Fprintln(os.Stderr, "usage: quic-go-peer server|client [options]; the options are in tests/peers/README.md")
	os.Exit(2)
}
