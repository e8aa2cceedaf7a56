package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// More under way than a receiver's queue holds (128 in this library) would be lost without any network's fault.
const datagramsUnderWay = 32

// A datagram, or how the connection ended.
type arrival struct {
	data []byte
	err  error
}

// First ours, which the server echoes, then the server's. What is lost on the way is counted, not repeated.
func datagrams(ctx context.Context, c *client) error {
	if err := handshake(ctx, c); err != nil {
		return err
	}
	arrived := make(chan arrival, 1024)
	go func() {
		for {
			data, err := c.connection.ReceiveMessage()
			arrived <- arrival{data, err}
			if err != nil {
				return
			}
		}
	}()
	echoed, err := c.echoedDatagrams(ctx, arrived)
	if err != nil {
		return err
	}
	c.result.Sent = uint64(c.count)
	c.result.Count = echoed

	stream, err := c.request(ctx, fmt.Sprintf("DATAGRAMS %d %d", c.count, c.size))
	if err != nil {
		return err
	}
	if err = stream.Close(); err != nil {
		return err
	}
	fromServer, err := c.countDatagrams(ctx, arrived, uint64(c.count), 2*time.Second)
	if err != nil {
		return err
	}
	if err = expectLine(stream, fmt.Sprint(c.count)); err != nil {
		return err
	}
	c.result.Sent += uint64(c.count)
	c.result.Count += fromServer
	c.result.Bytes = c.result.Count * uint64(c.size)
	if c.result.Count*100 < c.result.Sent*uint64(c.minPercent) {
		return fmt.Errorf("%d of %d datagrams came", c.result.Count, c.result.Sent)
	}
	return nil
}

func (c *client) echoedDatagrams(ctx context.Context, arrived chan arrival) (uint64, error) {
	echoed := uint64(0)
	for sent := 0; sent < c.count; {
		burst := 0
		for ; burst < datagramsUnderWay && sent < c.count; burst++ {
			if err := c.connection.SendMessage(datagram(uint64(sent), c.size)); err != nil {
				return echoed, err
			}
			sent++
		}
		count, err := c.countDatagrams(ctx, arrived, uint64(burst), 500*time.Millisecond)
		if err != nil {
			return echoed, err
		}
		echoed += count
	}
	return echoed, nil
}

// Takes so many datagrams of the right content, or those that come before the quiet time.
func (c *client) countDatagrams(ctx context.Context, arrived chan arrival, limit uint64, quiet time.Duration) (uint64, error) {
	for count := uint64(0); ; count++ {
		if count == limit {
			return count, nil
		}
		select {
		case next := <-arrived:
			if next.err != nil {
				return count, next.err
			}
			if err := c.checkDatagram(next.data); err != nil {
				return count, err
			}
		case <-time.After(quiet):
			return count, nil
		case <-ctx.Done():
			return count, ctx.Err()
		}
	}
}

func (c *client) checkDatagram(data []byte) error {
	if len(data) != c.size {
		return fmt.Errorf("a datagram of %d bytes instead of %d", len(data), c.size)
	}
	for i := 8; i < len(data); i++ {
		if data[i] != patternByte(uint64(i)) {
			return fmt.Errorf("byte %d of a datagram is not the pattern's", i)
		}
	}
	return nil
}

// Datagrams of the server, as many as it can send; sent is the highest number seen.
func benchDatagrams(ctx context.Context, c *client) error {
	stream, err := c.request(ctx, fmt.Sprintf("DATAGRAMS %d %d", endless, c.size))
	if err != nil {
		return err
	}
	for end := c.endOfBench(); time.Now().Before(end); {
		data, err := c.connection.ReceiveMessage()
		if err != nil {
			return err
		}
		if len(data) >= 8 {
			if number := binary.BigEndian.Uint64(data); number >= c.result.Sent {
				c.result.Sent = number + 1
			}
		}
		c.result.Count++
		c.result.Bytes += uint64(len(data))
	}
	c.measured()
	stream.CancelRead(0)
	return stream.Close()
}
