package main

import (
	"context"
	"sync"

	"github.com/lucas-clemente/quic-go"
	"github.com/lucas-clemente/quic-go/logging"
)

// Counts what the library reports, connection by connection.
type tracer struct {
	logging.NullTracer
	connections sync.Map
}

func (t *tracer) TracerForConnection(ctx context.Context, _ logging.Perspective, _ logging.ConnectionID) logging.ConnectionTracer {
	connection := &connectionTracer{}
	t.connections.Store(ctx.Value(quic.ConnectionTracingKey), connection)
	return connection
}

// The counts of a connection, which are forgotten with this.
func (t *tracer) take(ctx context.Context) event {
	if t == nil {
		return nil
	}
	connection, found := t.connections.LoadAndDelete(ctx.Value(quic.ConnectionTracingKey))
	if !found {
		return nil
	}
	return connection.(*connectionTracer).stats()
}

type connectionTracer struct {
	logging.NullConnectionTracer
	lock                                      sync.Mutex
	sent, received, bytesSent, bytesReceived  uint64
	lost, keyUpdates, keyUpdatesByPeer, retry uint64
	challengesReceived, maxPacket, cwnd       uint64
	rttMs                                     float64
}

func (t *connectionTracer) SentPacket(_ *logging.ExtendedHeader, size logging.ByteCount, _ *logging.AckFrame, _ []logging.Frame) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.sent++
	t.bytesSent += uint64(size)
	if uint64(size) > t.maxPacket {
		t.maxPacket = uint64(size)
	}
}

func (t *connectionTracer) ReceivedPacket(_ *logging.ExtendedHeader, size logging.ByteCount, frames []logging.Frame) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.received++
	t.bytesReceived += uint64(size)
	for _, frame := range frames {
		if _, ok := frame.(*logging.PathChallengeFrame); ok {
			t.challengesReceived++
		}
	}
}

func (t *connectionTracer) ReceivedRetry(*logging.Header) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.retry++
}

func (t *connectionTracer) LostPacket(logging.EncryptionLevel, logging.PacketNumber, logging.PacketLossReason) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.lost++
}

func (t *connectionTracer) UpdatedKey(_ logging.KeyPhase, remote bool) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if remote {
		t.keyUpdatesByPeer++
	} else {
		t.keyUpdates++
	}
}

func (t *connectionTracer) UpdatedMetrics(rtt *logging.RTTStats, cwnd, _ logging.ByteCount, _ int) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.cwnd = uint64(cwnd)
	t.rttMs = float64(rtt.SmoothedRTT().Microseconds()) / 1000
}

func (c *connectionTracer) stats() event {
	c.lock.Lock()
	defer c.lock.Unlock()
	return event{
		"packets_sent": c.sent, "packets_received": c.received, "bytes_sent": c.bytesSent, "bytes_received": c.bytesReceived,
		"packets_lost": c.lost, "key_updates": c.keyUpdates, "key_updates_by_peer": c.keyUpdatesByPeer, "retries": c.retry,
		"path_challenges_received": c.challengesReceived, "largest_packet_sent": c.maxPacket, "cwnd": c.cwnd, "rtt_ms": c.rttMs,
	}
}
