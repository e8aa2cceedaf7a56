use crate::bench;
use crate::client::Client;
use crate::datagrams;
use crate::endpoint;
use crate::options::Options;
use crate::output::{hex, Fault};
use crate::pattern;
use crate::requests::{write_pattern, Body};
use quinn::{ConnectionError, RecvStream, SendStream};
use ring::digest::{digest, Context, SHA256};

/// What --do names.
pub async fn run(name: &str, client: &mut Client) -> Result<(), Fault> {
    let bytes = client.options.bytes;
    match name {
        "handshake" => one_byte(client).await,
        "get" => get(client, bytes, Middle::Nothing).await,
        "put" => put(client, bytes, Middle::Nothing).await,
        "echo" => echo(client).await,
        "streams" => streams(client).await,
        "uni" => unidirectional(client).await,
        "call" => call(client).await,
        "datagrams" => datagrams::exchange(client).await,
        "keyupdate" => key_update(client).await,
        "rebind" => {
            get(client, bytes, Middle::Rebind).await?;
            put(client, bytes, Middle::Rebind).await
        }
        "reset" => reset(client).await,
        "stop" => stop(client).await,
        "close" => closed(client).await,
        "idle" => {
            client.outcome.error = Some(client.connection().closed().await.into());
            Ok(())
        }
        "flow" => {
            get(client, bytes, Middle::Nothing).await?;
            streams(client).await
        }
        "handshakes" => {
            for _ in 0..client.options.count {
                bench::handshake(&client.dialler).await?;
                client.outcome.count += 1;
            }
            Ok(())
        }
        "bench-get" => bench::get(client, 1).await,
        "bench-put" => bench::put(client).await,
        "bench-streams" => bench::get(client, client.options.streams).await,
        "bench-datagrams" => datagrams::bench(client).await,
        "bench-handshakes" => bench::handshakes(client).await,
        _ => Err(Fault::Local(format!("no such scenario: {name}"))),
    }
}

/// Changes the options before anything is opened.
pub fn prepare(options: &mut Options) {
    // Windows of a few packets: everything waits for MAX_STREAM_DATA and MAX_DATA.
    if options.scenario == "flow" && options.stream_window == 0 {
        options.stream_window = 4096;
        options.connection_window = 6000;
    }
}

/// Opens its own connections.
pub fn dials_itself(name: &str) -> bool {
    name.ends_with("handshakes")
}

/// Reads the datagrams that come instead of echoing them.
pub fn reads_datagrams(name: &str) -> bool {
    name.ends_with("datagrams")
}

/// What happens in the middle of a transfer.
#[derive(Clone, Copy, PartialEq)]
enum Middle {
    Nothing,
    Rebind,
}

/// One byte of answer, so that both sides have seen the end of the handshake. Another protocol than ours has no such request.
pub async fn one_byte(client: &mut Client) -> Result<(), Fault> {
    match client.options.alpn.as_str() {
        "gimlet-interop" => get(client, 1, Middle::Nothing).await,
        _ => Ok(()),
    }
}

fn rebind(client: &mut Client) -> Result<(), Fault> {
    client.dialler.endpoint.rebind(endpoint::bind_for_client(client.dialler.remote, &client.options)?)?;
    client.outcome.count += 1;
    Ok(())
}

async fn request(client: &Client, line: String) -> Result<(SendStream, RecvStream), Fault> {
    let (mut send, receive) = client.connection().open_bi().await?;
    send.write_all(format!("{line}\n").as_bytes()).await?;
    Ok((send, receive))
}

async fn get(client: &mut Client, count: u64, middle: Middle) -> Result<(), Fault> {
    let (send, receive) = request(client, format!("GET {count}")).await?;
    drop(send);
    let mut body = Body::new(receive);
    let mut expected = Expected::new();
    while expected.received < count / 2 && expected.take(&mut body).await? {}
    if middle == Middle::Rebind {
        rebind(client)?;
    }
    client.outcome.sha256 = expected.rest(&mut body, count).await?;
    client.outcome.bytes += count;
    Ok(())
}

/// The pattern as it comes: compared, hashed, counted.
struct Expected {
    check: pattern::Check,
    hash: Context,
    received: u64,
}

impl Expected {
    fn new() -> Self {
        Self { check: pattern::Check::new(), hash: Context::new(&SHA256), received: 0 }
    }

    async fn take(&mut self, body: &mut Body) -> Result<bool, Fault> {
        match body.next().await? {
            Some(data) => {
                self.check.take(&data)?;
                self.hash.update(&data);
                self.received += data.len() as u64;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    async fn rest(mut self, body: &mut Body, count: u64) -> Result<String, Fault> {
        while self.take(body).await? {}
        match self.received == count {
            true => Ok(hex(self.hash.finish().as_ref())),
            false => Err(Fault::Local(format!("{} bytes came, {count} were asked for", self.received))),
        }
    }
}

async fn expect_pattern(receive: RecvStream, count: u64) -> Result<String, Fault> {
    Expected::new().rest(&mut Body::new(receive), count).await
}

async fn put(client: &mut Client, count: u64, middle: Middle) -> Result<(), Fault> {
    let (mut send, mut receive) = request(client, format!("PUT {count}")).await?;
    let mut buffer = vec![0; pattern::CHUNK];
    let mut sent = 0;
    while sent < count {
        let part = &mut buffer[..(count - sent).min(pattern::CHUNK as u64) as usize];
        pattern::fill(part, sent);
        send.write_all(part).await?;
        let before = sent;
        sent += part.len() as u64;
        if middle == Middle::Rebind && before < count / 2 && sent >= count / 2 {
            rebind(client)?;
        }
    }
    drop(send);
    client.outcome.sha256 = pattern_digest(count);
    client.outcome.bytes += count;
    expect_line(&mut receive, &client.outcome.sha256).await
}

fn pattern_digest(count: u64) -> String {
    let mut data = vec![0; count as usize];
    pattern::fill(&mut data, 0);
    hex(digest(&SHA256, &data).as_ref())
}

pub async fn expect_line(receive: &mut RecvStream, expected: &str) -> Result<(), Fault> {
    let mut text = Vec::new();
    while let Some(chunk) = receive.read_chunk(usize::MAX, true).await? {
        text.extend_from_slice(&chunk.bytes);
    }
    match text == format!("{expected}\n").into_bytes() {
        true => Ok(()),
        false => Err(Fault::Local(format!("the answer is {:?} and not {expected:?}", String::from_utf8_lossy(&text)))),
    }
}

async fn echo(client: &mut Client) -> Result<(), Fault> {
    let count = client.options.bytes;
    let (mut send, receive) = request(client, "ECHO".into()).await?;
    let sending = async move { write_pattern(&mut send, count).await };
    let (_, digest) = tokio::try_join!(sending, expect_pattern(receive, count))?;
    client.outcome.sha256 = digest;
    client.outcome.bytes = count;
    Ok(())
}

/// Many streams at once; no more than the peer allows at a time are open.
async fn streams(client: &mut Client) -> Result<(), Fault> {
    let bytes = client.options.bytes;
    let mut tasks = Vec::new();
    for _ in 0..client.options.count {
        let connection = client.connection();
        tasks.push(tokio::spawn(async move {
            let (mut send, receive) = connection.open_bi().await?;
            send.write_all(format!("GET {bytes}\n").as_bytes()).await?;
            drop(send);
            expect_pattern(receive, bytes).await
        }));
    }
    for task in tasks {
        task.await.map_err(|error| Fault::Local(error.to_string()))??;
        client.outcome.count += 1;
        client.outcome.bytes += bytes;
    }
    Ok(())
}

/// GET and PUT on unidirectional streams, one after the other: the answers come on streams that the server opens.
async fn unidirectional(client: &mut Client) -> Result<(), Fault> {
    let connection = client.connection();
    let bytes = client.options.bytes;
    for _ in 0..client.options.count {
        let mut send = connection.open_uni().await?;
        send.write_all(format!("GET {bytes}\n").as_bytes()).await?;
        drop(send);
        client.outcome.sha256 = expect_pattern(connection.accept_uni().await?, bytes).await?;

        let mut send = connection.open_uni().await?;
        send.write_all(format!("PUT {bytes}\n").as_bytes()).await?;
        write_pattern(&mut send, bytes).await?;
        drop(send);
        expect_line(&mut connection.accept_uni().await?, &client.outcome.sha256).await?;
        client.outcome.count += 1;
        client.outcome.bytes += 2 * bytes;
    }
    Ok(())
}

/// The server opens a stream to us; the task that serves streams echoes it.
async fn call(client: &mut Client) -> Result<(), Fault> {
    let count = client.options.bytes;
    let (send, mut receive) = request(client, format!("CALL {count}")).await?;
    drop(send);
    client.outcome.bytes = count;
    client.outcome.sha256 = pattern_digest(count);
    expect_line(&mut receive, &client.outcome.sha256).await
}

/// So many updates between the rounds of an echo, so that every round proves the peer's answer under the new keys. The library does not wait
/// for what RFC 9001 section 6.1 demands before an update, so the rounds do: the first confirms the handshake, and each brings acknowledgements.
async fn key_update(client: &mut Client) -> Result<(), Fault> {
    let (mut send, receive) = request(client, "ECHO".into()).await?;
    let mut body = Body::new(receive);
    let mut expected = Expected::new();
    let rounds = client.options.count + 1;
    let part = client.options.bytes / rounds;
    let mut buffer = vec![0; part as usize];
    for round in 0..rounds {
        if round > 0 {
            client.connection().force_key_update();
            client.outcome.key_updates += 1;
        }
        pattern::fill(&mut buffer, round * part);
        let until = (round + 1) * part;
        let sending = async { send.write_all(&buffer).await.map_err(Fault::from) };
        let receiving = async {
            while expected.received < until && expected.take(&mut body).await? {}
            Ok(())
        };
        tokio::try_join!(sending, receiving)?;
    }
    drop(send);
    client.outcome.bytes = part * rounds;
    client.outcome.sha256 = expected.rest(&mut body, client.outcome.bytes).await?;
    Ok(())
}

async fn reset(client: &mut Client) -> Result<(), Fault> {
    let (_send, mut receive) = request(client, format!("RESET {}", client.options.code)).await?;
    let outcome = receive.read_chunk(usize::MAX, true).await;
    expect_stream_error(client, outcome.err().map(Fault::from))
}

/// Writes until the peer's STOP_SENDING arrives.
async fn stop(client: &mut Client) -> Result<(), Fault> {
    let (mut send, _receive) = request(client, format!("STOP {}", client.options.code)).await?;
    let outcome = write_pattern(&mut send, u64::MAX >> 2).await;
    expect_stream_error(client, outcome.err())
}

fn expect_stream_error(client: &mut Client, fault: Option<Fault>) -> Result<(), Fault> {
    match fault {
        Some(Fault::Stream(code)) if code == client.options.code => {
            client.outcome.error = fault;
            Ok(())
        }
        other => Err(Fault::Local(format!("not the stream error {} but {other:?}", client.options.code))),
    }
}

async fn closed(client: &mut Client) -> Result<(), Fault> {
    let (_send, _receive) = request(client, format!("CLOSE {}", client.options.code)).await?;
    match client.connection().closed().await {
        ConnectionError::ApplicationClosed(close) if close.error_code.into_inner() == client.options.code => {
            client.outcome.error = Some(ConnectionError::ApplicationClosed(close).into());
            Ok(())
        }
        other => Err(Fault::Local(format!("not the application error {} but {other:?}", client.options.code))),
    }
}
