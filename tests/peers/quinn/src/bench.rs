use crate::client::{Client, Dialler};
use crate::output::Fault;
use crate::pattern;
use quinn::{Connection, VarInt};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// More than any benchmark transfers; the client ends it with STOP_SENDING.
const ENDLESS: u64 = 1 << 60;

fn end(client: &Client) -> Instant {
    client.started + Duration::from_secs_f64(client.options.seconds)
}

/// Endless GETs side by side, discarded.
pub async fn get(client: &mut Client, streams: u64) -> Result<(), Fault> {
    let total = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..streams {
        tasks.push(tokio::spawn(drain(client.connection(), end(client), total.clone())));
    }
    for task in tasks {
        task.await.map_err(|error| Fault::Local(error.to_string()))??;
    }
    client.outcome.bytes = total.load(Ordering::Relaxed);
    client.outcome.count = streams;
    client.measured();
    Ok(())
}

async fn drain(connection: Connection, end: Instant, total: Arc<AtomicU64>) -> Result<(), Fault> {
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(format!("GET {ENDLESS}\n").as_bytes()).await?;
    drop(send);
    let reading = async {
        while let Some(chunk) = receive.read_chunk(usize::MAX, true).await? {
            total.fetch_add(chunk.bytes.len() as u64, Ordering::Relaxed);
        }
        Err(Fault::Local("the stream ended".into()))
    };
    // A stream that gets nothing ends with the others.
    if let Ok(outcome) = tokio::time::timeout_at(end.into(), reading).await {
        return outcome;
    }
    let _ = receive.stop(VarInt::from_u32(0));
    Ok(())
}

/// SINK: what counts is what the server says it received.
pub async fn put(client: &mut Client) -> Result<(), Fault> {
    let (mut send, mut receive) = client.connection().open_bi().await?;
    send.write_all(b"SINK\n").await?;
    let mut buffer = vec![0; pattern::CHUNK];
    pattern::fill(&mut buffer, 0);
    let end = end(client);
    while Instant::now() < end {
        send.write_all(&buffer).await?;
    }
    drop(send);
    let mut text = Vec::new();
    while let Some(chunk) = receive.read_chunk(usize::MAX, true).await? {
        text.extend_from_slice(&chunk.bytes);
    }
    let text = String::from_utf8_lossy(&text);
    client.outcome.bytes = text.trim_end().parse().map_err(|_| Fault::Local(format!("not a count: {text}")))?;
    client.measured();
    Ok(())
}

/// A connection of its own, proved from both sides by one byte of answer.
pub async fn handshake(dialler: &Dialler) -> Result<(), Fault> {
    let connection = dialler.dial().await?;
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(b"GET 1\n").await?;
    drop(send);
    let mut byte = [0];
    receive.read_exact(&mut byte).await.map_err(|error| Fault::Local(error.to_string()))?;
    connection.close(VarInt::from_u32(0), b"done");
    match byte[0] == pattern::byte(0) {
        true => Ok(()),
        false => Err(Fault::Local("a wrong byte".into())),
    }
}

/// Handshakes, each with a byte of answer, in so many loops side by side.
pub async fn handshakes(client: &mut Client) -> Result<(), Fault> {
    let end = end(client);
    let mut loops = Vec::new();
    for _ in 0..client.options.parallel {
        let dialler = client.dialler.clone();
        loops.push(tokio::spawn(async move {
            let mut count = 0;
            while Instant::now() < end {
                handshake(&dialler).await?;
                count += 1;
            }
            Ok::<u64, Fault>(count)
        }));
    }
    for one in loops {
        client.outcome.count += one.await.map_err(|error| Fault::Local(error.to_string()))??;
    }
    client.measured();
    Ok(())
}
