package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// More than any benchmark transfers; the client ends it with STOP_SENDING.
const endless = uint64(1) << 60

func (c *client) endOfBench() time.Time {
	return c.started.Add(time.Duration(c.seconds * float64(time.Second)))
}

// One endless GET, discarded.
func benchGet(ctx context.Context, c *client) error {
	total := atomic.Uint64{}
	err := c.drain(ctx, &total)
	c.result.Bytes = total.Load()
	c.measured()
	return err
}

// Endless GETs side by side.
func benchStreams(ctx context.Context, c *client) error {
	total := atomic.Uint64{}
	ended := make(chan error, c.streams)
	for i := 0; i < c.streams; i++ {
		go func() { ended <- c.drain(ctx, &total) }()
	}
	for i := 0; i < c.streams; i++ {
		if err := <-ended; err != nil {
			return err
		}
	}
	c.result.Bytes, c.result.Count = total.Load(), uint64(c.streams)
	c.measured()
	return nil
}

func (c *client) drain(ctx context.Context, total *atomic.Uint64) error {
	stream, err := c.request(ctx, fmt.Sprintf("GET %d", endless))
	if err != nil {
		return err
	}
	if err = stream.Close(); err != nil {
		return err
	}
	// A stream that gets nothing ends with the others.
	if err = stream.SetReadDeadline(c.endOfBench()); err != nil {
		return err
	}
	buffer := make([]byte, chunk)
	for err == nil {
		var count int
		count, err = stream.Read(buffer)
		total.Add(uint64(count))
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	stream.CancelRead(0)
	return nil
}

// SINK: what counts is what the server says it received.
func benchPut(ctx context.Context, c *client) error {
	stream, err := c.request(ctx, "SINK")
	if err != nil {
		return err
	}
	buffer := make([]byte, chunk)
	fillPattern(buffer, 0)
	for end := c.endOfBench(); time.Now().Before(end); {
		if _, err = stream.Write(buffer); err != nil {
			return err
		}
	}
	if err = stream.Close(); err != nil {
		return err
	}
	text, err := io.ReadAll(stream)
	if err != nil {
		return err
	}
	_, err = fmt.Sscanf(string(text), "%d\n", &c.result.Bytes)
	c.measured()
	return err
}

// Handshakes, each with a byte of answer, in so many loops side by side.
func benchHandshakes(ctx context.Context, c *client) error {
	total := atomic.Uint64{}
	ended := make(chan error, c.parallel)
	for i := 0; i < c.parallel; i++ {
		go func() {
			for end := c.endOfBench(); time.Now().Before(end); total.Add(1) {
				if err := c.handshakeOnce(ctx); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	for i := 0; i < c.parallel; i++ {
		if err := <-ended; err != nil {
			return err
		}
	}
	c.result.Count = total.Load()
	c.measured()
	return nil
}
