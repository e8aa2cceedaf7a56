package main

import (
	"crypto/rand"
	_ "unsafe" // for go:linkname

	_ "github.com/lucas-clemente/quic-go"
)

// The library updates keys after so many packets and has no option for it: its own interop client sets this variable of an internal
// package.
//
//go:linkname keyUpdateInterval github.com/lucas-clemente/quic-go/internal/handshake.KeyUpdateInterval
var keyUpdateInterval uint64

// Connection ids of a chosen length, 0 included.
type randomIds int

func (length randomIds) ConnectionIDLen() int { return int(length) }

func (length randomIds) GenerateConnectionID() ([]byte, error) {
	id := make([]byte, int(length))
	_, err := rand.Read(id)
	return id, err
}
