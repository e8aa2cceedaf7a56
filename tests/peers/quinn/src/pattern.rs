//! The bytes that both sides can make without sending them: the 32-bit word w is x ^ (x >> 15), x = w * 2654435761, little endian.

use crate::output::Fault;

pub const CHUNK: usize = 64 * 1024;

fn word(number: u32) -> u32 {
    let x = number.wrapping_mul(2654435761);
    x ^ (x >> 15)
}

pub fn byte(offset: u64) -> u8 {
    word((offset / 4) as u32).to_le_bytes()[(offset % 4) as usize]
}

/// Fills the buffer with the bytes from an offset on.
pub fn fill(buffer: &mut [u8], offset: u64) {
    let lead = (((4 - offset % 4) % 4) as usize).min(buffer.len());
    let (head, body) = buffer.split_at_mut(lead);
    for (i, b) in head.iter_mut().enumerate() {
        *b = byte(offset + i as u64);
    }
    let start = offset + lead as u64;
    let mut number = (start / 4) as u32;
    let mut words = body.chunks_exact_mut(4);
    for four in &mut words {
        four.copy_from_slice(&word(number).to_le_bytes());
        number = number.wrapping_add(1);
    }
    let tail = words.into_remainder();
    let begin = start + (number.wrapping_sub((start / 4) as u32) as u64) * 4;
    for (i, b) in tail.iter_mut().enumerate() {
        *b = byte(begin + i as u64);
    }
}

/// Compares bytes as they come with the pattern.
pub struct Check {
    offset: u64,
    expected: Vec<u8>,
}

impl Check {
    pub fn new() -> Self {
        Self { offset: 0, expected: vec![0; CHUNK] }
    }

    pub fn take(&mut self, data: &[u8]) -> Result<(), Fault> {
        for part in data.chunks(CHUNK) {
            let expected = &mut self.expected[..part.len()];
            fill(expected, self.offset);
            if expected != part {
                return Err(Fault::Local(format!("a wrong byte among {} from {}", part.len(), self.offset)));
            }
            self.offset += part.len() as u64;
        }
        Ok(())
    }
}
