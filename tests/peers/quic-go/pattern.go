package main

import (
	"encoding/binary"
	"fmt"
)

const chunk = 64 * 1024

// Fills the buffer with the bytes of the pattern from an offset on: the 32-bit word w is x ^ (x >> 15), x = w * 2654435761, little endian.
func fillPattern(buffer []byte, offset uint64) {
	for len(buffer) > 0 && offset%4 != 0 {
		buffer[0] = patternByte(offset)
		buffer = buffer[1:]
		offset++
	}
	word := uint32(offset / 4)
	for len(buffer) >= 4 {
		binary.LittleEndian.PutUint32(buffer, patternWord(word))
		buffer = buffer[4:]
		offset += 4
		word++
	}
	for i := range buffer {
		buffer[i] = patternByte(offset + uint64(i))
	}
}

func patternWord(word uint32) uint32 {
	x := word * 2654435761
	return x ^ (x >> 15)
}

func patternByte(offset uint64) byte {
	return byte(patternWord(uint32(offset/4)) >> (8 * (offset % 4)))
}

// Compares bytes as they come with the pattern.
type patternCheck struct {
	offset   uint64
	expected [chunk]byte
}

func (check *patternCheck) Write(data []byte) (int, error) {
	written := len(data)
	for len(data) > 0 {
		part := data
		if len(part) > chunk {
			part = part[:chunk]
		}
		fillPattern(check.expected[:len(part)], check.offset)
		for i, b := range part {
			if b != check.expected[i] {
				return 0, fmt.Errorf("byte %d is %#x and not %#x", check.offset+uint64(i), b, check.expected[i])
			}
		}
		check.offset += uint64(len(part))
		data = data[len(part):]
	}
	return written, nil
}
