package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lucas-clemente/quic-go"
)

type scenario struct {
	run func(context.Context, *client) error
	// Changes the options before anything is opened.
	prepare func(*options)
	// The socket is exchanged on the way.
	moving bool
	// No statistics: they cost time in every packet.
	plain bool
	// Opens its own connections.
	dialsItself bool
	// Reads the datagrams that come instead of echoing them.
	readsDatagrams bool
	// Accepts the streams of the peer, to learn of the end.
	waitsForEnd bool
}

// What --do names.
var scenarios = map[string]scenario{
	"handshake":  {run: handshake},
	"get":        {run: func(ctx context.Context, c *client) error { return c.get(ctx, c.bytes, nil) }},
	"put":        {run: func(ctx context.Context, c *client) error { return c.put(ctx, c.bytes, nil) }},
	"echo":       {run: echo},
	"streams":    {run: manyStreams},
	"uni":        {run: unidirectional},
	"call":       {run: call},
	"datagrams":  {run: datagrams, readsDatagrams: true},
	"keyupdate":  {run: keyUpdate, prepare: func(o *options) { keyUpdateInterval = 100 }},
	"rebind":     {run: rebind, moving: true},
	"reset":      {run: reset},
	"stop":       {run: stop},
	"close":      {run: closed},
	"idle":       {run: idle, waitsForEnd: true},
	"flow":       {run: smallWindows, prepare: smallest},
	"handshakes": {run: handshakes, dialsItself: true},
	"h3-get":     {run: h3Get},

	"bench-get":        {run: benchGet, plain: true},
	"bench-put":        {run: benchPut, plain: true},
	"bench-streams":    {run: benchStreams, plain: true},
	"bench-datagrams":  {run: benchDatagrams, plain: true, readsDatagrams: true},
	"bench-handshakes": {run: benchHandshakes, plain: true, dialsItself: true},
}

// Opens a stream and sends its request line.
func (c *client) request(ctx context.Context, line string) (quic.Stream, error) {
	stream, err := c.connection.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(stream, line+"\n")
	return stream, err
}

// One byte of answer, so that both sides have seen the end of the handshake. Another protocol than ours has no such request.
func handshake(ctx context.Context, c *client) error {
	if c.alpn != "gimlet-interop" {
		return nil
	}
	return c.get(ctx, 1, nil)
}

// GET on a stream of its own, compared with the pattern; half calls back in the middle.
func (c *client) get(ctx context.Context, count uint64, half func() error) error {
	stream, err := c.request(ctx, fmt.Sprintf("GET %d", count))
	if err != nil {
		return err
	}
	if err := stream.Close(); err != nil {
		return err
	}
	digest, err := c.expectPattern(stream, count, half)
	c.result.Bytes += count
	c.result.Sha256 = digest
	return err
}

func (c *client) expectPattern(stream io.Reader, count uint64, half func() error) (string, error) {
	hash := sha256.New()
	check := io.MultiWriter(hash, &patternCheck{})
	received := int64(0)
	if half != nil {
		var err error
		if received, err = io.CopyN(check, stream, int64(count/2)); err != nil {
			return "", err
		}
		if err = half(); err != nil {
			return "", err
		}
	}
	rest, err := io.Copy(check, stream)
	if err != nil {
		return "", err
	}
	if uint64(received+rest) != count {
		return "", fmt.Errorf("%d bytes came, %d were asked for", received+rest, count)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func (c *client) put(ctx context.Context, count uint64, half func() error) error {
	stream, err := c.request(ctx, fmt.Sprintf("PUT %d", count))
	if err != nil {
		return err
	}
	expected, err := writeAndClose(stream, count, half)
	if err != nil {
		return err
	}
	c.result.Bytes += count
	c.result.Sha256 = expected
	return expectLine(stream, expected)
}

// The pattern and the end of the stream; gives the digest of what was sent.
func writeAndClose(stream quic.SendStream, count uint64, half func() error) (string, error) {
	hash := sha256.New()
	var buffer [chunk]byte
	for sent := uint64(0); sent < count; {
		part := buffer[:]
		if count-sent < chunk {
			part = part[:count-sent]
		}
		fillPattern(part, sent)
		hash.Write(part)
		if _, err := stream.Write(part); err != nil {
			return "", err
		}
		before := sent
		sent += uint64(len(part))
		if half != nil && before < count/2 && sent >= count/2 {
			if err := half(); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), stream.Close()
}

func expectLine(stream io.Reader, expected string) error {
	text, err := io.ReadAll(bufio.NewReader(stream))
	if err == nil && strings.TrimSuffix(string(text), "\n") != expected {
		err = fmt.Errorf("the answer is %q and not %q", text, expected)
	}
	return err
}

func echo(ctx context.Context, c *client) error {
	stream, err := c.request(ctx, "ECHO")
	if err != nil {
		return err
	}
	sending := make(chan error, 1)
	go func() {
		_, err := writeAndClose(stream, c.bytes, nil)
		sending <- err
	}()
	c.result.Sha256, err = c.expectPattern(stream, c.bytes, nil)
	c.result.Bytes = c.bytes
	if err == nil {
		err = <-sending
	}
	return err
}

// Many streams at once; no more than the peer allows at a time are open.
func manyStreams(ctx context.Context, c *client) error {
	ended := make(chan error, c.count)
	for i := 0; i < c.count; i++ {
		go func() {
			stream, err := c.request(ctx, fmt.Sprintf("GET %d", c.bytes))
			if err == nil {
				err = stream.Close()
			}
			if err == nil {
				_, err = c.expectPattern(stream, c.bytes, nil)
			}
			ended <- err
		}()
	}
	for i := 0; i < c.count; i++ {
		if err := <-ended; err != nil {
			return err
		}
		c.result.Count++
		c.result.Bytes += c.bytes
	}
	return nil
}

// GET and PUT on unidirectional streams, one after the other: the answers come on streams that the server opens.
func unidirectional(ctx context.Context, c *client) error {
	for i := 0; i < c.count; i++ {
		stream, err := c.connection.OpenUniStreamSync(ctx)
		if err != nil {
			return err
		}
		if _, err = fmt.Fprintf(stream, "GET %d\n", c.bytes); err != nil {
			return err
		}
		if err = stream.Close(); err != nil {
			return err
		}
		answer, err := c.connection.AcceptUniStream(ctx)
		if err != nil {
			return err
		}
		if c.result.Sha256, err = c.expectPattern(answer, c.bytes, nil); err != nil {
			return err
		}

		if stream, err = c.connection.OpenUniStreamSync(ctx); err != nil {
			return err
		}
		if _, err = fmt.Fprintf(stream, "PUT %d\n", c.bytes); err != nil {
			return err
		}
		expected, err := writeAndClose(stream, c.bytes, nil)
		if err != nil {
			return err
		}
		if answer, err = c.connection.AcceptUniStream(ctx); err != nil {
			return err
		}
		if err = expectLine(answer, expected); err != nil {
			return err
		}
		c.result.Count++
		c.result.Bytes += 2 * c.bytes
	}
	return nil
}

// The server opens a stream to us; serveStreams echoes it.
func call(ctx context.Context, c *client) error {
	stream, err := c.request(ctx, fmt.Sprintf("CALL %d", c.bytes))
	if err != nil {
		return err
	}
	if err = stream.Close(); err != nil {
		return err
	}
	hash := sha256.New()
	if _, err = writePattern(hash, c.bytes); err != nil {
		return err
	}
	c.result.Bytes = c.bytes
	c.result.Sha256 = hex.EncodeToString(hash.Sum(nil))
	return expectLine(stream, c.result.Sha256)
}

// The library updates keys after the packets that prepare has set, both ways.
func keyUpdate(ctx context.Context, c *client) error {
	if err := c.get(ctx, c.bytes, nil); err != nil {
		return err
	}
	return c.put(ctx, c.bytes, nil)
}

// A transfer in each direction, with the socket exchanged in the middle of it.
func rebind(ctx context.Context, c *client) error {
	move := func() error {
		socket, err := c.bindForClient(c.remote)
		if err == nil {
			c.socket.move(socket)
			c.result.Count++
		}
		return err
	}
	if err := c.get(ctx, c.bytes, move); err != nil {
		return err
	}
	return c.put(ctx, c.bytes, move)
}

func reset(ctx context.Context, c *client) error {
	stream, err := c.request(ctx, fmt.Sprintf("RESET %d", c.code))
	if err != nil {
		return err
	}
	_, err = io.ReadAll(stream)
	return c.expectStreamError(err)
}

// Writes until the peer's STOP_SENDING arrives.
func stop(ctx context.Context, c *client) error {
	stream, err := c.request(ctx, fmt.Sprintf("STOP %d", c.code))
	if err != nil {
		return err
	}
	for err == nil {
		_, err = stream.Write(make([]byte, chunk))
	}
	return c.expectStreamError(err)
}

func (c *client) expectStreamError(err error) error {
	var stream *quic.StreamError
	if errors.As(err, &stream) && stream.ErrorCode == quic.StreamErrorCode(c.code) {
		c.result.Error = describe(err)
		return nil
	}
	return fmt.Errorf("not the stream error %d but: %w", c.code, orNothing(err))
}

func closed(ctx context.Context, c *client) error {
	stream, err := c.request(ctx, fmt.Sprintf("CLOSE %d", c.code))
	if err == nil {
		_, err = io.ReadAll(stream)
	}
	var application *quic.ApplicationError
	if errors.As(err, &application) && application.Remote && application.ErrorCode == quic.ApplicationErrorCode(c.code) {
		c.result.Error = describe(err)
		return nil
	}
	return fmt.Errorf("not the application error %d but: %w", c.code, orNothing(err))
}

func orNothing(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// Does nothing until the connection ends by itself: the result's error says how.
func idle(ctx context.Context, c *client) error {
	_, err := c.connection.AcceptStream(ctx)
	if ctx.Err() != nil || err == nil {
		return errors.New("the connection did not end")
	}
	c.result.Error = describe(err)
	return nil
}

func smallest(o *options) {
	if o.streamWindow == 0 {
		o.streamWindow, o.connectionWindow = 4096, 6000
	}
}

// Windows of a few packets: everything waits for MAX_STREAM_DATA and MAX_DATA.
func smallWindows(ctx context.Context, c *client) error {
	if err := c.get(ctx, c.bytes, nil); err != nil {
		return err
	}
	return manyStreams(ctx, c)
}

func handshakes(ctx context.Context, c *client) error {
	for i := 0; i < c.count; i++ {
		if err := c.handshakeOnce(ctx); err != nil {
			return err
		}
		c.result.Count++
	}
	return nil
}

// A connection of its own, proved from both sides by one byte of answer.
func (c *client) handshakeOnce(ctx context.Context) error {
	connection, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer connection.CloseWithError(0, "done")
	stream, err := connection.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	if _, err = io.WriteString(stream, "GET 1\n"); err != nil {
		return err
	}
	if err = stream.Close(); err != nil {
		return err
	}
	_, err = c.expectPattern(stream, 1, nil)
	c.statistics.take(connection.Context())
	return err
}
