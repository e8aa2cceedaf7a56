package main

import (
	"net"
	"sync"
	"time"
)

// A socket that is exchanged for another while it is in use, as a NAT or a change of network does it.
type movingSocket struct {
	lock    sync.Mutex
	current *net.UDPConn
}

func (m *movingSocket) socket() *net.UDPConn {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.current
}

// From now on packets leave from the new socket, and only what arrives there is read.
func (m *movingSocket) move(next *net.UDPConn) {
	m.lock.Lock()
	previous := m.current
	m.current = next
	m.lock.Unlock()
	previous.Close()
}

func (m *movingSocket) ReadFrom(buffer []byte) (int, net.Addr, error) {
	for {
		socket := m.socket()
		count, from, err := socket.ReadFrom(buffer)
		if err == nil || socket == m.socket() {
			return count, from, err
		}
	}
}

func (m *movingSocket) WriteTo(data []byte, to net.Addr) (int, error) {
	for {
		socket := m.socket()
		count, err := socket.WriteTo(data, to)
		if err == nil || socket == m.socket() {
			return count, err
		}
	}
}

func (m *movingSocket) Close() error                       { return m.socket().Close() }
func (m *movingSocket) LocalAddr() net.Addr                { return m.socket().LocalAddr() }
func (m *movingSocket) SetDeadline(t time.Time) error      { return m.socket().SetDeadline(t) }
func (m *movingSocket) SetReadDeadline(t time.Time) error  { return m.socket().SetReadDeadline(t) }
func (m *movingSocket) SetWriteDeadline(t time.Time) error { return m.socket().SetWriteDeadline(t) }
