use crate::client::Client;
use crate::output::{Fault, Json};
use crate::pattern;
use crate::requests::Report;
use bytes::Bytes;
use quinn::{Connection, SendStream};
use std::time::{Duration, Instant};

/// More under way than a receiver's queue holds (128 in quic-go 0.29) would be lost without any network's fault.
const UNDER_WAY: u64 = 32;

/// More than any benchmark sends; the client ends it with STOP_SENDING.
const ENDLESS: u64 = 1 << 60;

/// Sends back what comes.
pub async fn echo(connection: Connection, mut report: Option<Report>) {
    while let Ok(data) = connection.read_datagram().await {
        // Once per connection.
        if let Some(report) = report.take() {
            report(Json::event("datagrams").text("remote", &connection.remote_address().to_string()));
        }
        if connection.send_datagram(data).is_err() {
            return;
        }
    }
}

/// Datagrams of the pattern, the first eight bytes being the number in big endian (none, where there is no room). Ends early when the client
/// has stopped the answer.
pub async fn send(connection: &Connection, stream: &mut SendStream, count: u64, size: usize) -> Result<u64, Fault> {
    let mut sent = 0;
    let sending = async {
        while sent < count {
            // A full queue would drop its oldest; the library has no way to wait for room.
            while connection.datagram_send_buffer_space() < size {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            connection.send_datagram(datagram(sent, size))?;
            sent += 1;
        }
        Ok(())
    };
    tokio::select! {
        outcome = sending => outcome.map(|_| sent),
        _ = stream.stopped() => Ok(sent),
    }
}

fn datagram(number: u64, size: usize) -> Bytes {
    let mut data = vec![0; size];
    pattern::fill(&mut data, 0);
    if size >= 8 {
        data[..8].copy_from_slice(&number.to_be_bytes());
    }
    data.into()
}

/// First ours, which the server echoes, then the server's. What is lost on the way is counted, not repeated.
pub async fn exchange(client: &mut Client) -> Result<(), Fault> {
    crate::scenarios::one_byte(client).await?;
    let connection = client.connection();
    let (wanted, size) = (client.options.count, client.options.size);
    let mut came = 0;
    let mut number = 0;
    while number < wanted {
        let burst = UNDER_WAY.min(wanted - number);
        for _ in 0..burst {
            connection.send_datagram(datagram(number, size as usize))?;
            number += 1;
        }
        came += count(&connection, burst, size, Duration::from_millis(500)).await?;
    }

    let (mut request, mut answer) = connection.open_bi().await?;
    request.write_all(format!("DATAGRAMS {wanted} {size}\n").as_bytes()).await?;
    drop(request);
    came += count(&connection, wanted, size, Duration::from_secs(2)).await?;
    crate::scenarios::expect_line(&mut answer, &wanted.to_string()).await?;

    client.outcome.sent = 2 * wanted;
    client.outcome.count = came;
    client.outcome.bytes = came * size;
    match came * 100 >= client.outcome.sent * client.options.min_percent {
        true => Ok(()),
        false => Err(Fault::Local(format!("{came} of {} datagrams came", client.outcome.sent))),
    }
}

/// Takes so many datagrams of the right content, or those that come before the quiet time.
async fn count(connection: &Connection, limit: u64, size: u64, quiet: Duration) -> Result<u64, Fault> {
    for taken in 0..limit {
        match tokio::time::timeout(quiet, connection.read_datagram()).await {
            Ok(data) => check(&data?, size)?,
            Err(_) => return Ok(taken),
        }
    }
    Ok(limit)
}

fn check(data: &[u8], size: u64) -> Result<(), Fault> {
    if data.len() as u64 != size {
        return Err(Fault::Local(format!("a datagram of {} bytes instead of {size}", data.len())));
    }
    match (8..data.len()).find(|i| data[*i] != pattern::byte(*i as u64)) {
        Some(i) => Err(Fault::Local(format!("byte {i} of a datagram is not the pattern's"))),
        None => Ok(()),
    }
}

/// Datagrams of the server, as many as it can send; sent is the highest number seen.
pub async fn bench(client: &mut Client) -> Result<(), Fault> {
    let connection = client.connection();
    let (mut request, mut answer) = connection.open_bi().await?;
    request.write_all(format!("DATAGRAMS {ENDLESS} {}\n", client.options.size).as_bytes()).await?;
    let end = client.started + Duration::from_secs_f64(client.options.seconds);
    while Instant::now() < end {
        let data = connection.read_datagram().await?;
        if let Some(Ok(number)) = data.get(..8).map(<[u8; 8]>::try_from) {
            client.outcome.sent = client.outcome.sent.max(u64::from_be_bytes(number) + 1);
        }
        client.outcome.count += 1;
        client.outcome.bytes += data.len() as u64;
    }
    client.measured();
    let _ = answer.stop(0u32.into());
    Ok(())
}
