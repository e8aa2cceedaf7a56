package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lucas-clemente/quic-go"
)

// The code of a stream that is reset because its request is not understood.
const badRequest = 1

// The receiving and the sending half of a request: one bidirectional stream, or a unidirectional one and its answer.
type halves struct {
	receive quic.ReceiveStream
	send    quic.SendStream
}

// Serves all streams and datagrams of a connection, whoever opened it, until it ends; returns how it ended.
func serveConnection(connection quic.Connection, report func(event)) error {
	go echoDatagrams(connection, report)
	go func() {
		for {
			stream, err := connection.AcceptUniStream(context.Background())
			if err != nil {
				return
			}
			go func() {
				answer, err := connection.OpenUniStreamSync(connection.Context())
				if err == nil {
					serveRequest(connection, halves{stream, answer}, report)
				}
			}()
		}
	}()
	for {
		stream, err := connection.AcceptStream(context.Background())
		if err != nil {
			return err
		}
		go serveRequest(connection, halves{stream, stream}, report)
	}
}

func echoDatagrams(connection quic.Connection, report func(event)) {
	for first := true; ; first = false {
		data, err := connection.ReceiveMessage()
		if err == nil && first && report != nil {
			report(event{"event": "datagrams", "remote": connection.RemoteAddr().String()})
		}
		if err != nil || connection.SendMessage(data) != nil {
			return
		}
	}
}

func serveRequest(connection quic.Connection, stream halves, report func(event)) {
	reader := bufio.NewReaderSize(stream.receive, chunk)
	line, err := readLine(reader)
	count := uint64(0)
	if err == nil {
		count, err = answer(connection, stream, reader, line)
	}
	if report != nil {
		report(event{"event": "request", "request": line, "bytes": count, "error": describe(err)})
	}
}

// A request line: at most 64 bytes of ASCII and a line feed.
func readLine(reader *bufio.Reader) (string, error) {
	var line []byte
	for len(line) <= 64 {
		b, err := reader.ReadByte()
		if err != nil {
			return string(line), err
		}
		if b == '\n' {
			return string(line), nil
		}
		line = append(line, b)
	}
	return string(line), errors.New("a request line without end")
}

func answer(connection quic.Connection, stream halves, body *bufio.Reader, line string) (uint64, error) {
	words := strings.Split(line, " ")
	var numbers [2]uint64
	for i, word := range words[1:] {
		value, err := strconv.ParseUint(word, 10, 62)
		if err != nil || i >= len(numbers) {
			return refuse(stream, line)
		}
		numbers[i] = value
	}
	switch words[0] {
	case "GET":
		count, err := writePattern(stream.send, numbers[0])
		if err != nil {
			return count, err
		}
		return count, stream.send.Close()
	case "PUT":
		count, digest, err := receiveExactly(body, numbers[0])
		if err != nil {
			return count, err
		}
		return count, finish(stream.send, digest)
	case "SINK":
		count, err := io.Copy(io.Discard, body)
		if err != nil {
			return uint64(count), err
		}
		return uint64(count), finish(stream.send, strconv.FormatInt(count, 10))
	case "ECHO":
		count, err := io.Copy(stream.send, body)
		if err != nil {
			return uint64(count), err
		}
		return uint64(count), stream.send.Close()
	case "DATAGRAMS":
		count, err := sendDatagrams(connection, stream.send, numbers[0], int(numbers[1]))
		if err != nil {
			return count, err
		}
		return count, finish(stream.send, strconv.FormatUint(count, 10))
	case "RESET":
		stream.send.CancelWrite(quic.StreamErrorCode(numbers[0]))
		return 0, nil
	case "STOP":
		stream.receive.CancelRead(quic.StreamErrorCode(numbers[0]))
		return 0, stream.send.Close()
	case "CLOSE":
		return 0, connection.CloseWithError(quic.ApplicationErrorCode(numbers[0]), "as asked")
	case "CALL":
		digest, err := callBack(connection, numbers[0])
		if err != nil {
			stream.send.CancelWrite(badRequest)
			return 0, err
		}
		return numbers[0], finish(stream.send, digest)
	case "REKEY":
		// This library updates keys by the number of packets only (--key-update-packets).
		return 0, finish(stream.send, "no")
	default:
		return refuse(stream, line)
	}
}

func refuse(stream halves, line string) (uint64, error) {
	stream.send.CancelWrite(badRequest)
	stream.receive.CancelRead(badRequest)
	return 0, fmt.Errorf("not a request: %q", line)
}

func finish(stream quic.SendStream, text string) error {
	if _, err := io.WriteString(stream, text+"\n"); err != nil {
		return err
	}
	return stream.Close()
}

func writePattern(stream io.Writer, count uint64) (uint64, error) {
	var buffer [chunk]byte
	for sent := uint64(0); sent < count; {
		part := buffer[:]
		if count-sent < chunk {
			part = part[:count-sent]
		}
		fillPattern(part, sent)
		written, err := stream.Write(part)
		sent += uint64(written)
		if err != nil {
			return sent, err
		}
	}
	return count, nil
}

func receiveExactly(body io.Reader, count uint64) (uint64, string, error) {
	hash := sha256.New()
	received, err := io.Copy(hash, body)
	if err == nil && uint64(received) != count {
		err = fmt.Errorf("%d bytes came, %d were announced", received, count)
	}
	return uint64(received), hex.EncodeToString(hash.Sum(nil)), err
}

// Datagrams of the pattern, the first eight bytes being the number in big endian (fewer, where there is no room). Ends early when the client
// has stopped the answer.
func sendDatagrams(connection quic.Connection, stream quic.SendStream, count uint64, size int) (uint64, error) {
	for sent := uint64(0); sent < count; sent++ {
		if stream.Context().Err() != nil {
			return sent, nil
		}
		if err := connection.SendMessage(datagram(sent, size)); err != nil {
			return sent, err
		}
	}
	return count, nil
}

func datagram(number uint64, size int) []byte {
	data := make([]byte, size)
	fillPattern(data, 0)
	if size >= 8 {
		binary.BigEndian.PutUint64(data, number)
	}
	return data
}

// A stream that the answering side opens: ECHO of n bytes of the pattern; gives the digest of what came back.
func callBack(connection quic.Connection, count uint64) (string, error) {
	deadline, cancel := context.WithTimeout(connection.Context(), 30*time.Second)
	defer cancel()
	stream, err := connection.OpenStreamSync(deadline)
	if err != nil {
		return "", err
	}
	sending := make(chan error, 1)
	go func() {
		_, err := io.WriteString(stream, "ECHO\n")
		if err == nil {
			_, err = writePattern(stream, count)
		}
		if err == nil {
			err = stream.Close()
		}
		sending <- err
	}()
	_, digest, err := receiveExactly(stream, count)
	if err == nil {
		err = <-sending
	}
	return digest, err
}
