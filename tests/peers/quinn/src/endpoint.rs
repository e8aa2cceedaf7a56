//! The library's settings and its socket.

use crate::options::Options;
use crate::output::{hex, Fault, Json};
use crate::tls;
use quinn::{ClientConfig, Connection, Endpoint, EndpointConfig, ServerConfig, TransportConfig, VarInt};
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::os::unix::io::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

pub fn server(options: &Options) -> Result<Endpoint, Fault> {
    let mut config = ServerConfig::with_crypto(Arc::new(tls::server(options)?));
    config.transport_config(transport(options)?);
    config.use_retry(options.retry);
    let socket = bind(&options.listen, options)?;
    Ok(Endpoint::new(endpoint(options)?, Some(config), socket, quinn::TokioRuntime)?)
}

pub fn client(options: &Options) -> Result<(Endpoint, SocketAddr), Fault> {
    let remote = options
        .connect
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| Fault::Local(format!("no address: {}", options.connect)))?;
    let mut config = ClientConfig::new(Arc::new(tls::client(options)?));
    config.transport_config(transport(options)?);
    let mut settings = endpoint(options)?;
    if !options.version.is_empty() {
        let version = u32::from_str_radix(options.version.trim_start_matches("0x"), 16)
            .map_err(|_| Fault::Local(format!("--version: not hexadecimal: {}", options.version)))?;
        settings.supported_versions(vec![version]);
        config.version(version);
    }
    let socket = bind_for_client(remote, options)?;
    let mut endpoint = Endpoint::new(settings, None, socket, quinn::TokioRuntime)?;
    endpoint.set_default_client_config(config);
    Ok((endpoint, remote))
}

fn endpoint(options: &Options) -> Result<EndpointConfig, Fault> {
    let mut config = EndpointConfig::default();
    if let Some(length) = options.cid_length {
        config.cid_generator(move || Box::new(quinn_proto::RandomConnectionIdGenerator::new(length as usize)));
    }
    if !options.reset_key.is_empty() {
        // Any text is a key of HMAC.
        config.reset_key(Arc::new(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, options.reset_key.as_bytes())));
    }
    Ok(config)
}

fn transport(options: &Options) -> Result<Arc<TransportConfig>, Fault> {
    let number = |value: u64| VarInt::from_u64(value).map_err(|_| Fault::Local(format!("too large: {value}")));
    let mut config = TransportConfig::default();
    config.max_concurrent_bidi_streams(number(options.max_streams)?);
    config.max_concurrent_uni_streams(number(options.max_streams)?);
    config.max_idle_timeout(Some(number(options.idle_ms)?.into()));
    if options.keep_alive_ms > 0 {
        config.keep_alive_interval(Some(Duration::from_millis(options.keep_alive_ms)));
    }
    if options.stream_window > 0 {
        config.stream_receive_window(number(options.stream_window)?);
    }
    if options.connection_window > 0 {
        config.receive_window(number(options.connection_window)?);
    }
    if options.mtu > 0 {
        config.initial_max_udp_payload_size(options.mtu as u16);
    }
    Ok(Arc::new(config))
}

/// Any port of the address family that is dialled.
pub fn bind_for_client(remote: SocketAddr, options: &Options) -> Result<UdpSocket, Fault> {
    let address = match remote {
        _ if remote.is_ipv4() && remote.ip().is_loopback() => "127.0.0.1:0",
        _ if remote.is_ipv4() => "0.0.0.0:0",
        _ => "[::]:0",
    };
    bind(address, options)
}

/// A UDP socket with the buffers asked for: as root beyond the system's limit, otherwise up to it.
fn bind(address: &str, options: &Options) -> Result<UdpSocket, Fault> {
    let socket = UdpSocket::bind(address)?;
    let size = options.socket_buffer as libc::c_int;
    for (plain, forced) in [(libc::SO_RCVBUF, libc::SO_RCVBUFFORCE), (libc::SO_SNDBUF, libc::SO_SNDBUFFORCE)] {
        let set = |option| {
            // SAFETY: the value is an int that outlives the call.
            unsafe {
                libc::setsockopt(
                    socket.as_raw_fd(),
                    libc::SOL_SOCKET,
                    option,
                    &size as *const libc::c_int as *const libc::c_void,
                    std::mem::size_of::<libc::c_int>() as libc::socklen_t,
                )
            }
        };
        if set(forced) != 0 {
            set(plain);
        }
    }
    Ok(socket)
}

pub fn protocol(connection: &Connection) -> String {
    connection
        .handshake_data()
        .and_then(|data| data.downcast::<quinn::crypto::rustls::HandshakeData>().ok())
        .and_then(|data| data.protocol)
        .map(|protocol| String::from_utf8_lossy(&protocol).into_owned())
        .unwrap_or_default()
}

pub fn certificate_digest(connection: &Connection) -> String {
    connection
        .peer_identity()
        .and_then(|identity| identity.downcast::<Vec<rustls::Certificate>>().ok())
        .and_then(|chain| chain.first().map(|leaf| hex(ring::digest::digest(&ring::digest::SHA256, &leaf.0).as_ref())))
        .unwrap_or_default()
}

/// What the library counts of a connection.
pub fn stats(connection: &Connection) -> String {
    let stats = connection.stats();
    Json::new()
        .raw("packets_sent", stats.path.sent_packets)
        .raw("packets_lost", stats.path.lost_packets)
        .raw("congestion_events", stats.path.congestion_events)
        .raw("udp_datagrams_sent", stats.udp_tx.datagrams)
        .raw("udp_datagrams_received", stats.udp_rx.datagrams)
        .raw("bytes_sent", stats.udp_tx.bytes)
        .raw("bytes_received", stats.udp_rx.bytes)
        .raw("sends", stats.udp_tx.transmits)
        .raw("path_challenges_sent", stats.frame_tx.path_challenge)
        .raw("path_challenges_received", stats.frame_rx.path_challenge)
        .raw("path_responses_received", stats.frame_rx.path_response)
        .raw("acks_received", stats.frame_rx.acks)
        .raw("cwnd", stats.path.cwnd)
        .raw("rtt_ms", stats.path.rtt.as_secs_f64() * 1000.0)
        .object()
}
