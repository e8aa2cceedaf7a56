//! Serves the requests of gimlet-interop, whichever side opened the connection.

use crate::datagrams;
use crate::output::{hex, Fault, Json};
use crate::pattern;
use bytes::Bytes;
use quinn::{Connection, ReadError, RecvStream, SendStream, VarInt};
use ring::digest::{Context, SHA256};
use std::time::Duration;

/// The code of a stream that is reset because its request is not understood.
const BAD_REQUEST: u32 = 1;

/// Where the events of served requests go: nowhere on a client and on a quiet server.
pub type Report = fn(Json);

/// Serves all streams and datagrams of a connection until it ends; returns how it ended.
pub async fn serve_connection(connection: Connection, report: Option<Report>) -> Fault {
    tokio::spawn(datagrams::echo(connection.clone(), report));
    let unidirectional = connection.clone();
    tokio::spawn(async move {
        while let Ok(receive) = unidirectional.accept_uni().await {
            let connection = unidirectional.clone();
            tokio::spawn(async move {
                if let Ok(send) = connection.open_uni().await {
                    serve_request(connection, send, receive, report).await;
                }
            });
        }
    });
    serve_streams(connection, report).await
}

pub async fn serve_streams(connection: Connection, report: Option<Report>) -> Fault {
    loop {
        match connection.accept_bi().await {
            Ok((send, receive)) => {
                tokio::spawn(serve_request(connection.clone(), send, receive, report));
            }
            Err(error) => return error.into(),
        }
    }
}

async fn serve_request(connection: Connection, send: SendStream, receive: RecvStream, report: Option<Report>) {
    let mut body = Body::new(receive);
    let (line, outcome) = match body.line().await {
        Ok(line) => {
            let outcome = answer(&connection, send, &mut body, &line).await;
            (line, outcome)
        }
        Err(fault) => (String::new(), Err(fault)),
    };
    if let Some(report) = report {
        let event = Json::event("request").text("request", &line);
        report(match &outcome {
            Ok(count) => event.raw("bytes", count).fault("error", None),
            Err(fault) => event.raw("bytes", 0).fault("error", Some(fault)),
        });
    }
}

/// A receiving stream, with what came together with the request line still to be read.
pub struct Body {
    stream: RecvStream,
    rest: Bytes,
}

impl Body {
    pub fn new(stream: RecvStream) -> Self {
        Self { stream, rest: Bytes::new() }
    }

    /// At most 64 bytes of ASCII and a line feed.
    async fn line(&mut self) -> Result<String, Fault> {
        let mut line = Vec::new();
        while line.len() <= 64 {
            let mut data = match self.next().await? {
                Some(data) => data,
                None => return Err(Fault::Local("the stream ended in its request line".into())),
            };
            match data.iter().position(|b| *b == b'\n') {
                Some(end) => {
                    line.extend_from_slice(&data[..end]);
                    self.rest = data.split_off(end + 1);
                    return Ok(String::from_utf8_lossy(&line).into_owned());
                }
                None => line.extend_from_slice(&data),
            }
        }
        Err(Fault::Local("a request line without end".into()))
    }

    /// The next bytes in order, none at the end of the stream.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        if !self.rest.is_empty() {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        Ok(self.stream.read_chunk(usize::MAX, true).await?.map(|chunk| chunk.bytes))
    }

    pub fn stop(&mut self, code: u64) {
        // Fails on a stream that has ended by itself, which is as good.
        let _ = self.stream.stop(VarInt::from_u64(code).unwrap_or(VarInt::MAX));
    }
}

async fn answer(connection: &Connection, mut send: SendStream, body: &mut Body, line: &str) -> Result<u64, Fault> {
    let words: Vec<&str> = line.split(' ').collect();
    let mut numbers = [0; 2];
    for (i, word) in words[1..].iter().enumerate() {
        match word.parse::<u64>() {
            Ok(value) if i < numbers.len() && value < 1 << 62 => numbers[i] = value,
            _ => return refuse(send, body, line),
        }
    }
    let code = VarInt::from_u64(numbers[0]).unwrap_or(VarInt::MAX);
    // Dropping a stream ends it; waiting for the acknowledgement of the end would only take time.
    match words[0] {
        "GET" => write_pattern(&mut send, numbers[0]).await,
        "PUT" => {
            let digest = receive_exactly(body, numbers[0]).await?;
            send.write_all(format!("{digest}\n").as_bytes()).await?;
            Ok(numbers[0])
        }
        "SINK" => {
            let mut count = 0;
            while let Some(data) = body.next().await? {
                count += data.len() as u64;
            }
            send.write_all(format!("{count}\n").as_bytes()).await?;
            Ok(count)
        }
        "ECHO" => {
            let mut count = 0;
            while let Some(data) = body.next().await? {
                count += data.len() as u64;
                send.write_chunk(data).await?;
            }
            Ok(count)
        }
        "DATAGRAMS" => {
            let sent = datagrams::send(connection, &mut send, numbers[0], numbers[1] as usize).await?;
            send.write_all(format!("{sent}\n").as_bytes()).await?;
            Ok(sent)
        }
        "RESET" => {
            let _ = send.reset(code);
            Ok(0)
        }
        "STOP" => {
            body.stop(numbers[0]);
            Ok(0)
        }
        "CLOSE" => {
            connection.close(code, b"as asked");
            Ok(0)
        }
        "CALL" => match call_back(connection, numbers[0]).await {
            Ok(digest) => {
                send.write_all(format!("{digest}\n").as_bytes()).await?;
                Ok(numbers[0])
            }
            Err(fault) => {
                let _ = send.reset(BAD_REQUEST.into());
                Err(fault)
            }
        },
        "REKEY" => {
            connection.force_key_update();
            send.write_all(b"yes\n").await?;
            Ok(0)
        }
        _ => refuse(send, body, line),
    }
}

fn refuse(mut send: SendStream, body: &mut Body, line: &str) -> Result<u64, Fault> {
    let _ = send.reset(BAD_REQUEST.into());
    body.stop(BAD_REQUEST.into());
    Err(Fault::Local(format!("not a request: {line}")))
}

pub async fn write_pattern(send: &mut SendStream, count: u64) -> Result<u64, Fault> {
    let mut buffer = vec![0; pattern::CHUNK];
    let mut sent = 0;
    while sent < count {
        let part = &mut buffer[..(count - sent).min(pattern::CHUNK as u64) as usize];
        pattern::fill(part, sent);
        send.write_all(part).await?;
        sent += part.len() as u64;
    }
    Ok(count)
}

/// The digest of so many bytes until the end of the stream.
pub async fn receive_exactly(body: &mut Body, count: u64) -> Result<String, Fault> {
    let mut hash = Context::new(&SHA256);
    let mut received = 0;
    while let Some(data) = body.next().await? {
        hash.update(&data);
        received += data.len() as u64;
    }
    match received == count {
        true => Ok(hex(hash.finish().as_ref())),
        false => Err(Fault::Local(format!("{received} bytes came, {count} were announced"))),
    }
}

/// A stream that the answering side opens: ECHO of n bytes of the pattern; gives the digest of what came back.
async fn call_back(connection: &Connection, count: u64) -> Result<String, Fault> {
    let called = async {
        let (mut send, receive) = connection.open_bi().await?;
        let sending = async move {
            send.write_all(b"ECHO\n").await?;
            write_pattern(&mut send, count).await
        };
        let mut body = Body::new(receive);
        let (_, digest) = tokio::try_join!(sending, receive_exactly(&mut body, count))?;
        Ok(digest)
    };
    match tokio::time::timeout(Duration::from_secs(30), called).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::Local("no answer to the call".into())),
    }
}
