package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/lucas-clemente/quic-go"
)

// As much of HTTP/3 (RFC 9114) as it takes to fetch from gtlsserver and to serve gtlsclient, byte by byte as ../README.md has it: no
// dynamic table, no Huffman code, nothing read of a field section.

// Stream type 0 (control), then a SETTINGS frame (type 4) of length 0.
var h3Control = []byte{0x00, 0x04, 0x00}

// A HEADERS frame (type 1) of length 3: no dynamic table (two zeros), then :status 200, which is number 25 of QPACK's static table.
var h3Ok = []byte{0x01, 0x03, 0x00, 0x00, 0xd9}

const (
	h3Data    = 0x00
	h3Headers = 0x01
)

// The HEADERS frame of GET https://authority/path. Of the static table: 17 is :method GET, 23 :scheme https, 0 the name :authority, 1 the
// name :path; the values of the last two are written out.
func h3Request(authority, path string) []byte {
	section := []byte{0x00, 0x00, 0xd1, 0xd7, 0x50, byte(len(authority))}
	section = append(section, authority...)
	section = append(section, 0x51, byte(len(path)))
	section = append(section, path...)
	// Both lengths fit into the one byte that is left for them: 6 bits of the frame's, 7 bits of the values'.
	return append([]byte{h3Headers, byte(len(section))}, section...)
}

func h3Get(ctx context.Context, c *client) error {
	if len(c.path) > 40 {
		return errors.New("--path: too long for a length of one byte")
	}
	control, err := c.connection.OpenUniStreamSync(ctx)
	if err != nil {
		return err
	}
	if _, err = control.Write(h3Control); err != nil {
		return err
	}
	stream, err := c.connection.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	if _, err = stream.Write(h3Request("localhost", c.path)); err != nil {
		return err
	}
	if err = stream.Close(); err != nil {
		return err
	}
	body := &patternCheck{}
	if err = h3Body(bufio.NewReader(stream), body, &c.result.Bytes, c.verify); err != nil {
		return err
	}
	return c.connection.CloseWithError(0x100, "") // H3_NO_ERROR
}

// The frames of a response: HEADERS, then DATA to the end of the stream.
func h3Body(stream *bufio.Reader, check io.Writer, count *uint64, verify bool) error {
	for first := true; ; first = false {
		kind, err := readVarint(stream)
		if err == io.EOF && !first {
			return nil
		}
		if err != nil {
			return err
		}
		length, err := readVarint(stream)
		if err != nil {
			return err
		}
		if first && kind != h3Headers {
			return fmt.Errorf("a response begins with frame type %d", kind)
		}
		into := io.Discard
		if kind == h3Data {
			*count += length
			if verify {
				into = check
			}
		}
		if _, err = io.CopyN(into, stream, int64(length)); err != nil {
			return err
		}
	}
}

// RFC 9000 section 16.
func readVarint(stream *bufio.Reader) (uint64, error) {
	first, err := stream.ReadByte()
	if err != nil {
		return 0, err
	}
	value := uint64(first & 0x3f)
	for more := 1<<(first>>6) - 1; more > 0; more-- {
		next, err := stream.ReadByte()
		if err != nil {
			return 0, io.ErrUnexpectedEOF
		}
		value = value<<8 | uint64(next)
	}
	return value, nil
}

// Answers every request with so many bytes of the pattern, whatever its path.
func serveH3(connection quic.Connection, count uint64, report func(event)) error {
	control, err := connection.OpenUniStream()
	if err != nil {
		return err
	}
	if _, err = control.Write(h3Control); err != nil {
		return err
	}
	go func() {
		for {
			// The control and QPACK streams of the client: all that they can say to us is to be ignored.
			stream, err := connection.AcceptUniStream(context.Background())
			if err != nil {
				return
			}
			go io.Copy(io.Discard, stream)
		}
	}()
	for {
		stream, err := connection.AcceptStream(context.Background())
		if err != nil {
			return err
		}
		go func() {
			err := answerH3(stream, count)
			report(event{"event": "request", "request": "h3", "bytes": count, "error": describe(err)})
		}()
	}
}

func answerH3(stream quic.Stream, count uint64) error {
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return err
	}
	head := bytes.NewBuffer(append([]byte{}, h3Ok...))
	head.WriteByte(h3Data)
	// A length of eight bytes: 62 bits, the first two say so.
	_ = binary.Write(head, binary.BigEndian, count|0xc0<<56)
	if _, err := stream.Write(head.Bytes()); err != nil {
		return err
	}
	if _, err := writePattern(stream, count); err != nil {
		return err
	}
	return stream.Close()
}
