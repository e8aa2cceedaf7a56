package main

import (
	"crypto/tls"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/lucas-clemente/quic-go"
)

// The one command line of both roles and of both programs.
type options struct {
	listen, connect, sni, alpn, cert, key, keylog, cipher, scenario, resetKey, path string

	clientCaAny, retry, noTickets, stopOnStdin, quiet, verify bool

	idleMs, keepAliveMs, timeoutMs, mtu, cidLength, socketBuffer, code, count, parallel, streams, size, minPercent, threads int

	maxStreams, streamWindow, connectionWindow, bytes, keyUpdatePackets uint64

	seconds float64
}

func parse(arguments []string) (*options, error) {
	o := &options{}
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&o.listen, "listen", "127.0.0.1:0", "")
	set.StringVar(&o.connect, "connect", "", "")
	set.StringVar(&o.sni, "sni", "localhost", "")
	set.StringVar(&o.alpn, "alpn", "gimlet-interop", "")
	set.StringVar(&o.cert, "cert", "", "")
	set.StringVar(&o.key, "key", "", "")
	set.StringVar(&o.keylog, "keylog", "", "")
	set.StringVar(&o.cipher, "cipher", "", "")
	set.StringVar(&o.scenario, "do", "handshake", "")
	set.StringVar(&o.resetKey, "reset-key", "", "")
	set.StringVar(&o.path, "path", "/", "")
	set.BoolVar(&o.verify, "verify", false, "")
	set.BoolVar(&o.clientCaAny, "client-ca-any", false, "")
	set.BoolVar(&o.retry, "retry", false, "")
	set.BoolVar(&o.noTickets, "no-tickets", false, "")
	set.BoolVar(&o.stopOnStdin, "stop-on-stdin", false, "")
	set.BoolVar(&o.quiet, "quiet", false, "")
	set.IntVar(&o.idleMs, "idle-ms", 30000, "")
	set.IntVar(&o.keepAliveMs, "keep-alive-ms", 0, "")
	set.IntVar(&o.timeoutMs, "timeout-ms", 60000, "")
	set.IntVar(&o.mtu, "mtu", 0, "")
	set.IntVar(&o.cidLength, "cid-length", -1, "")
	set.IntVar(&o.socketBuffer, "socket-buffer", 2<<20, "")
	set.IntVar(&o.code, "code", 7, "")
	set.IntVar(&o.count, "count", 10, "")
	set.IntVar(&o.parallel, "parallel", 1, "")
	set.IntVar(&o.streams, "streams", 100, "")
	set.IntVar(&o.size, "size", 1000, "")
	set.IntVar(&o.minPercent, "min-percent", 100, "")
	set.IntVar(&o.threads, "threads", 0, "")
	set.Uint64Var(&o.maxStreams, "max-streams", 100, "")
	set.Uint64Var(&o.streamWindow, "stream-window", 0, "")
	set.Uint64Var(&o.connectionWindow, "connection-window", 0, "")
	set.Uint64Var(&o.bytes, "bytes", 1000000, "")
	set.Uint64Var(&o.keyUpdatePackets, "key-update-packets", 0, "")
	set.Float64Var(&o.seconds, "seconds", 3, "")
	if err := set.Parse(arguments); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("not an option: %s", set.Arg(0))
	}
	return o, nil
}

func (o *options) timeout() time.Duration { return time.Duration(o.timeoutMs) * time.Millisecond }

func (o *options) quicConfig(tracer *tracer) (*quic.Config, error) {
	config := &quic.Config{
		MaxIdleTimeout:                 time.Duration(o.idleMs) * time.Millisecond,
		KeepAlivePeriod:                time.Duration(o.keepAliveMs) * time.Millisecond,
		MaxIncomingStreams:             int64(o.maxStreams),
		MaxIncomingUniStreams:          int64(o.maxStreams),
		InitialStreamReceiveWindow:     o.streamWindow,
		MaxStreamReceiveWindow:         o.streamWindow,
		InitialConnectionReceiveWindow: o.connectionWindow,
		MaxConnectionReceiveWindow:     o.connectionWindow,
		DisablePathMTUDiscovery:        o.mtu > 0,
		EnableDatagrams:                true,
		RequireAddressValidation:       func(net.Addr) bool { return o.retry },
	}
	if o.cidLength >= 0 {
		config.ConnectionIDGenerator = randomIds(o.cidLength)
	}
	if o.resetKey != "" {
		key, err := hex.DecodeString(o.resetKey)
		if err != nil {
			return nil, err
		}
		config.StatelessResetKey = key
	}
	// A tracer costs time in every packet; the benchmarks run without.
	if tracer != nil {
		config.Tracer = tracer
	}
	return config, nil
}

func (o *options) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{
		NextProtos:             []string{o.alpn},
		InsecureSkipVerify:     true,
		ServerName:             o.sni,
		SessionTicketsDisabled: o.noTickets,
	}
	if o.cert != "" {
		certificate, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	if o.clientCaAny {
		// The holder must prove the key; who signed the certificate does not matter.
		config.ClientAuth = tls.RequireAnyClientCert
	}
	switch o.cipher {
	case "":
	case "aes128":
		config.CipherSuites = []uint16{tls.TLS_AES_128_GCM_SHA256}
	case "aes256":
		config.CipherSuites = []uint16{tls.TLS_AES_256_GCM_SHA384}
	case "chacha20":
		config.CipherSuites = []uint16{tls.TLS_CHACHA20_POLY1305_SHA256}
	default:
		return nil, errors.New("--cipher is aes128, aes256 or chacha20")
	}
	if o.keylog != "" {
		file, err := os.OpenFile(o.keylog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		config.KeyLogWriter = file
	}
	return config, nil
}

// A UDP socket with the buffers asked for: as root beyond the system's limit, otherwise up to it.
func (o *options) bind(address string) (*net.UDPConn, error) {
	parsed, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	socket, err := net.ListenUDP("udp", parsed)
	if err != nil {
		return nil, err
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	err = raw.Control(func(descriptor uintptr) {
		for plain, forced := range map[int]int{syscall.SO_RCVBUF: syscall.SO_RCVBUFFORCE, syscall.SO_SNDBUF: syscall.SO_SNDBUFFORCE} {
			if syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, forced, o.socketBuffer) != nil {
				_ = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, plain, o.socketBuffer)
			}
		}
	})
	return socket, err
}

// Where a client binds: any port of the address family it dials.
func (o *options) bindForClient(remote *net.UDPAddr) (*net.UDPConn, error) {
	switch {
	case remote.IP.IsLoopback() && remote.IP.To4() != nil:
		return o.bind("127.0.0.1:0")
	case remote.IP.To4() != nil:
		return o.bind("0.0.0.0:0")
	default:
		return o.bind("[::]:0")
	}
}
