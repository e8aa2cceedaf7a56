//! One JSON object per line, and what went wrong in the words that both programs share.

use quinn::{ConnectionError, ReadError, SendDatagramError, WriteError};
use std::fmt::Write;

/// The members of an object in the order of writing.
pub struct Json(String);

impl Json {
    pub fn new() -> Self {
        Self(String::new())
    }

    pub fn event(name: &str) -> Self {
        Self::new().text("event", name)
    }

    pub fn raw(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let comma = if self.0.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{comma}\"{name}\":{value}");
        self
    }

    pub fn text(self, name: &str, value: &str) -> Self {
        self.raw(name, quote(value))
    }

    pub fn fault(self, name: &str, fault: Option<&Fault>) -> Self {
        match fault {
            None => self.raw(name, "null"),
            Some(fault) => self.raw(name, fault.json()),
        }
    }

    pub fn object(&self) -> String {
        format!("{{{}}}", self.0)
    }

    pub fn print(&self) {
        println!("{}", self.object());
    }
}

fn quote(text: &str) -> String {
    let mut result = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            c if (c as u32) < 0x20 => {
                let _ = write!(result, "\\u{:04x}", c as u32);
            }
            c => result.push(c),
        }
    }
    result.push('"');
    result
}

#[derive(Debug, Clone)]
pub enum Fault {
    Local(String),
    Stream(u64),
    Connection(ConnectionError),
}

impl Fault {
    fn json(&self) -> String {
        let (kind, code, by_peer, text) = match self {
            Fault::Local(text) => ("local", 0, false, text.clone()),
            Fault::Stream(code) => ("stream", *code, true, format!("stream error {code}")),
            Fault::Connection(error) => match error {
                ConnectionError::ApplicationClosed(close) => {
                    ("application", close.error_code.into_inner(), true, String::from_utf8_lossy(&close.reason).into_owned())
                }
                ConnectionError::ConnectionClosed(close) => ("transport", u64::from(close.error_code), true, error.to_string()),
                ConnectionError::TransportError(own) => ("transport", u64::from(own.code), false, error.to_string()),
                ConnectionError::Reset => ("stateless-reset", 0, true, error.to_string()),
                ConnectionError::VersionMismatch => ("version", 0, true, error.to_string()),
                ConnectionError::TimedOut => ("timeout", 0, false, error.to_string()),
                ConnectionError::LocallyClosed => ("local", 0, false, error.to_string()),
            },
        };
        Json::new().text("kind", kind).raw("code", code).raw("by_peer", by_peer).text("text", &text).object()
    }
}

impl From<ConnectionError> for Fault {
    fn from(error: ConnectionError) -> Self {
        Fault::Connection(error)
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Reset(code) => Fault::Stream(code.into_inner()),
            ReadError::ConnectionLost(error) => Fault::Connection(error),
            other => Fault::Local(other.to_string()),
        }
    }
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stopped(code) => Fault::Stream(code.into_inner()),
            WriteError::ConnectionLost(error) => Fault::Connection(error),
            other => Fault::Local(other.to_string()),
        }
    }
}

impl From<SendDatagramError> for Fault {
    fn from(error: SendDatagramError) -> Self {
        match error {
            SendDatagramError::ConnectionLost(error) => Fault::Connection(error),
            other => Fault::Local(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Fault::Local(error.to_string())
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// User and system time of this process so far.
pub fn cpu_seconds() -> f64 {
    // SAFETY: getrusage fills the structure that it is given.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
