use crate::endpoint;
use crate::options::Options;
use crate::output::{cpu_seconds, Fault, Json};
use crate::requests::{serve_connection, Report};
use crate::LIBRARY;
use quinn::{Connecting, Endpoint, VarInt};
use std::io::Read;
use std::time::Duration;
use tokio::signal::unix::{signal, SignalKind};

/// Serves until it is told to end; gives the exit code.
pub async fn serve(options: Options) -> i32 {
    match run(options).await {
        Ok(()) => 0,
        Err(fault) => {
            Json::event("failed").fault("error", Some(&fault)).print();
            1
        }
    }
}

async fn run(options: Options) -> Result<(), Fault> {
    let endpoint = endpoint::server(&options)?;
    println!("listening {}", endpoint.local_addr()?);
    tokio::spawn(accept(endpoint.clone(), options.quiet));
    wait_for_end(&options).await?;
    endpoint.close(VarInt::from_u32(0), b"the server ends");
    // Long enough for the closing packets of a loopback; a peer that does not answer is not waited for.
    let _ = tokio::time::timeout(Duration::from_millis(500), endpoint.wait_idle()).await;
    Json::event("exit").text("peer", LIBRARY).raw("cpu_seconds", cpu_seconds()).print();
    Ok(())
}

async fn accept(endpoint: Endpoint, quiet: bool) {
    while let Some(connecting) = endpoint.accept().await {
        tokio::spawn(serve_one(connecting, quiet));
    }
}

async fn serve_one(connecting: Connecting, quiet: bool) {
    let report: Option<Report> = if quiet { None } else { Some(|event: Json| event.print()) };
    let print = |event: Json| {
        if let Some(report) = report {
            report(event);
        }
    };
    let remote = connecting.remote_address().to_string();
    let connection = match connecting.await {
        Ok(connection) => connection,
        Err(error) => return print(Json::event("refused").text("remote", &remote).fault("error", Some(&error.into()))),
    };
    print(
        Json::event("connection")
            .text("remote", &remote)
            .text("alpn", &endpoint::protocol(&connection))
            .text("peer_certificate_sha256", &endpoint::certificate_digest(&connection)),
    );
    let ended = serve_connection(connection.clone(), report).await;
    print(
        Json::event("closed")
            .text("remote", &connection.remote_address().to_string())
            .fault("error", Some(&ended))
            .raw("stats", endpoint::stats(&connection)),
    );
}

/// Until SIGTERM or SIGINT or, where asked for, the end of the standard input: the end of whoever started this.
async fn wait_for_end(options: &Options) -> Result<(), Fault> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (input_ended, input) = tokio::sync::oneshot::channel::<()>();
    if options.stop_on_stdin {
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            drop(input_ended);
        });
    } else {
        std::mem::forget(input_ended);
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = input => {}
    }
    Ok(())
}
