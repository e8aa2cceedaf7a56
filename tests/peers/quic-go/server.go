package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/lucas-clemente/quic-go"
)

func serve(o *options) error {
	socket, err := o.bind(o.listen)
	if err != nil {
		return err
	}
	tlsConfig, err := o.tlsConfig()
	if err != nil {
		return err
	}
	var statistics *tracer
	if !o.quiet {
		statistics = &tracer{}
	}
	config, err := o.quicConfig(statistics)
	if err != nil {
		return err
	}
	listener, err := quic.Listen(socket, tlsConfig, config)
	if err != nil {
		return err
	}
	fmt.Printf("listening %s\n", listener.Addr())

	go acceptConnections(listener, o, statistics)
	waitForEnd(o)
	err = listener.Close()
	print(event{"event": "exit", "peer": library, "cpu_seconds": cpuSeconds()})
	return err
}

func acceptConnections(listener quic.Listener, o *options, statistics *tracer) {
	report := print
	if o.quiet {
		report = func(interface{}) {}
	}
	for {
		connection, err := listener.Accept(context.Background())
		if err != nil {
			return
		}
		go func() {
			state := connection.ConnectionState()
			report(event{
				"event": "connection", "remote": connection.RemoteAddr().String(), "alpn": state.TLS.NegotiatedProtocol,
				"peer_certificate_sha256": certificateDigest(connection),
			})
			var ended error
			if o.alpn == "h3" {
				ended = serveH3(connection, o.bytes, func(e event) { report(e) })
			} else {
				ended = serveConnection(connection, func(e event) { report(e) })
			}
			report(event{"event": "closed", "remote": connection.RemoteAddr().String(), "error": describe(ended), "stats": statistics.take(connection.Context())})
		}()
	}
}

func certificateDigest(connection quic.Connection) string {
	certificates := connection.ConnectionState().TLS.PeerCertificates
	if len(certificates) == 0 {
		return ""
	}
	digest := sha256.Sum256(certificates[0].Raw)
	return hex.EncodeToString(digest[:])
}

// Until SIGTERM or SIGINT or, where asked for, the end of the standard input: the end of whoever started this.
func waitForEnd(o *options) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	input := make(chan struct{})
	if o.stopOnStdin {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			close(input)
		}()
	}
	select {
	case <-signals:
	case <-input:
	}
}
