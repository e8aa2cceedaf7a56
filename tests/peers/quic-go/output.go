package main

import (
	"encoding/json"
	"errors"
	"os"
	"sync"
	"syscall"

	"github.com/lucas-clemente/quic-go"
)

type event map[string]interface{}

var outputLock sync.Mutex

// One JSON object per line.
func print(value interface{}) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	outputLock.Lock()
	defer outputLock.Unlock()
	os.Stdout.Write(append(text, '\n'))
}

// What went wrong, in the words that both programs share.
type failure struct {
	Kind   string `json:"kind"`
	Code   uint64 `json:"code"`
	ByPeer bool   `json:"by_peer"`
	Text   string `json:"text"`
}

func describe(err error) *failure {
	if err == nil {
		return nil
	}
	result := &failure{Kind: "local", Text: err.Error()}
	var application *quic.ApplicationError
	var transport *quic.TransportError
	var stream *quic.StreamError
	var reset *quic.StatelessResetError
	var version *quic.VersionNegotiationError
	var idle *quic.IdleTimeoutError
	var handshake *quic.HandshakeTimeoutError
	switch {
	case errors.As(err, &application):
		result.Kind, result.Code, result.ByPeer = "application", uint64(application.ErrorCode), application.Remote
		result.Text = application.ErrorMessage
	case errors.As(err, &transport):
		result.Kind, result.Code, result.ByPeer = "transport", uint64(transport.ErrorCode), transport.Remote
	case errors.As(err, &stream):
		result.Kind, result.Code, result.ByPeer = "stream", uint64(stream.ErrorCode), true
	case errors.As(err, &reset):
		result.Kind, result.ByPeer = "stateless-reset", true
	case errors.As(err, &version):
		result.Kind, result.ByPeer = "version", true
	case errors.As(err, &idle), errors.As(err, &handshake):
		result.Kind = "timeout"
	}
	return result
}

// User and system time of this process so far.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}
