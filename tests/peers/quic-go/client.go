package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/lucas-clemente/quic-go"
)

// What a client prints at its end.
type result struct {
	Ok          bool     `json:"ok"`
	Peer        string   `json:"peer"`
	Scenario    string   `json:"scenario"`
	Error       *failure `json:"error"`
	Alpn        string   `json:"alpn"`
	Certificate string   `json:"peer_certificate_sha256"`
	HandshakeMs float64  `json:"handshake_ms"`
	Bytes       uint64   `json:"bytes"`
	Count       uint64   `json:"count"`
	Sent        uint64   `json:"sent"`
	Sha256      string   `json:"sha256"`
	Seconds     float64  `json:"seconds"`
	CpuSeconds  float64  `json:"cpu_seconds"`
	BitsPerSec  float64  `json:"goodput_bits_per_second"`
	Stats       event    `json:"stats"`
}

// One client process: its socket, its settings and, in most scenarios, its one connection.
type client struct {
	*options
	socket     *movingSocket
	packets    net.PacketConn
	remote     *net.UDPAddr
	tls        *tls.Config
	quic       *quic.Config
	statistics *tracer
	connection quic.Connection
	result     *result
	started    time.Time
	startedCpu float64
}

// Runs the scenario, prints its result and gives the exit code.
func runClient(o *options) int {
	c := &client{options: o, result: &result{Peer: library, Scenario: o.scenario}}
	err := c.run()
	c.result.Ok = err == nil
	if err != nil {
		c.result.Error = describe(err)
	}
	if c.connection != nil {
		_ = c.connection.CloseWithError(0, "done")
		c.result.Stats = c.statistics.take(c.connection.Context())
	}
	print(c.result)
	if err != nil {
		return 1
	}
	return 0
}

func (c *client) run() error {
	scenario, found := scenarios[c.scenario]
	if !found {
		return fmt.Errorf("no such scenario: %s", c.scenario)
	}
	if scenario.prepare != nil {
		scenario.prepare(c.options)
	}
	if err := c.open(scenario.moving, scenario.plain); err != nil {
		return err
	}
	deadline, cancel := context.WithTimeout(context.Background(), c.timeout())
	defer cancel()
	if !scenario.dialsItself {
		start := time.Now()
		connection, err := c.dial(deadline)
		if err != nil {
			return err
		}
		c.result.HandshakeMs = float64(time.Since(start).Microseconds()) / 1000
		c.connection = connection
		c.result.Alpn = connection.ConnectionState().TLS.NegotiatedProtocol
		c.result.Certificate = certificateDigest(connection)
		if !scenario.readsDatagrams {
			go echoDatagrams(connection, nil)
		}
		if !scenario.waitsForEnd {
			go serveStreams(connection)
		}
	}
	c.started, c.startedCpu = time.Now(), cpuSeconds()
	err := within(deadline, func() error { return scenario.run(deadline, c) })
	// A benchmark has set the span of its own measurement.
	if c.result.Seconds == 0 {
		c.measured()
	}
	return err
}

// Ends the span that the figures are of.
func (c *client) measured() {
	c.result.Seconds = time.Since(c.started).Seconds()
	c.result.CpuSeconds = cpuSeconds() - c.startedCpu
	c.result.BitsPerSec = float64(c.result.Bytes) * 8 / c.result.Seconds
}

func (c *client) open(moving, plain bool) error {
	var err error
	if c.remote, err = net.ResolveUDPAddr("udp", c.connect); err != nil {
		return err
	}
	if c.tls, err = c.tlsConfig(); err != nil {
		return err
	}
	if !plain {
		c.statistics = &tracer{}
	}
	if c.quic, err = c.quicConfig(c.statistics); err != nil {
		return err
	}
	socket, err := c.bindForClient(c.remote)
	if err != nil {
		return err
	}
	c.packets = socket
	if moving {
		// Hides what the library would otherwise use of the socket: ECN and batches.
		c.socket = &movingSocket{current: socket}
		c.packets = c.socket
	}
	return nil
}

func (c *client) dial(ctx context.Context) (quic.Connection, error) {
	return quic.DialContext(ctx, c.packets, c.remote, c.sni, c.tls, c.quic)
}

// Streams that the server opens are answered as the server answers ours.
func serveStreams(connection quic.Connection) {
	for {
		stream, err := connection.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go serveRequest(connection, halves{stream, stream}, nil)
	}
}

// Blocking reads and writes know no context: the scenario is left behind at the deadline, and the process ends.
func within(ctx context.Context, action func() error) error {
	done := make(chan error, 1)
	go func() { done <- action() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
