use crate::endpoint;
use crate::options::Options;
use crate::output::{cpu_seconds, Fault, Json};
use crate::requests::serve_streams;
use crate::scenarios;
use crate::LIBRARY;
use quinn::{Connection, Endpoint, VarInt};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What a client prints at its end.
#[derive(Default)]
pub struct Outcome {
    pub error: Option<Fault>,
    pub bytes: u64,
    pub count: u64,
    pub sent: u64,
    pub key_updates: u64,
    pub sha256: String,
    seconds: f64,
    cpu_seconds: f64,
}

/// All that a new connection needs.
#[derive(Clone)]
pub struct Dialler {
    pub endpoint: Endpoint,
    pub remote: SocketAddr,
    sni: String,
}

impl Dialler {
    pub async fn dial(&self) -> Result<Connection, Fault> {
        match self.endpoint.connect(self.remote, &self.sni) {
            Ok(connecting) => Ok(connecting.await?),
            Err(error) => Err(Fault::Local(error.to_string())),
        }
    }
}

/// One client process: its socket, its settings and, in most scenarios, its one connection.
pub struct Client {
    pub options: Options,
    pub dialler: Dialler,
    pub outcome: Outcome,
    pub started: Instant,
    started_cpu: f64,
    handshake: Duration,
    connection: Option<Connection>,
}

/// Runs the scenario, prints its result and gives the exit code.
pub async fn run(options: Options) -> i32 {
    let scenario = options.scenario.clone();
    let limit = Duration::from_millis(options.timeout_ms);
    let mut client = match Client::open(options) {
        Ok(client) => client,
        Err(fault) => {
            let failed = Json::new().raw("ok", false).text("peer", LIBRARY).text("scenario", &scenario);
            failed.fault("error", Some(&fault)).print();
            return 1;
        }
    };
    let outcome = match tokio::time::timeout(limit, client.execute(&scenario)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::Local("the scenario did not end in time".into())),
    };
    // A benchmark has set the span of its own measurement.
    if client.outcome.seconds == 0.0 {
        client.measured();
    }
    let ok = outcome.is_ok();
    if let Err(fault) = outcome {
        client.outcome.error = Some(fault);
    }
    client.print(&scenario, ok);
    if let Some(connection) = client.connection.take() {
        connection.close(VarInt::from_u32(0), b"done");
    }
    // Long enough for the closing packets of a loopback; a peer that does not answer is not waited for.
    let _ = tokio::time::timeout(Duration::from_millis(500), client.dialler.endpoint.wait_idle()).await;
    i32::from(!ok)
}

impl Client {
    fn open(mut options: Options) -> Result<Self, Fault> {
        scenarios::prepare(&mut options);
        let (endpoint, remote) = endpoint::client(&options)?;
        Ok(Self {
            dialler: Dialler { endpoint, remote, sni: options.sni.clone() },
            options,
            outcome: Outcome::default(),
            started: Instant::now(),
            started_cpu: cpu_seconds(),
            handshake: Duration::ZERO,
            connection: None,
        })
    }

    async fn execute(&mut self, scenario: &str) -> Result<(), Fault> {
        if !scenarios::dials_itself(scenario) {
            let begin = Instant::now();
            let connection = self.dialler.dial().await?;
            self.handshake = begin.elapsed();
            if !scenarios::reads_datagrams(scenario) {
                tokio::spawn(crate::datagrams::echo(connection.clone(), None));
            }
            tokio::spawn(serve_streams(connection.clone(), None));
            self.connection = Some(connection);
        }
        self.started = Instant::now();
        self.started_cpu = cpu_seconds();
        scenarios::run(scenario, self).await
    }

    /// The one connection of a scenario that does not dial itself.
    pub fn connection(&self) -> Connection {
        self.connection.clone().expect("a connection was made before the scenario began")
    }

    /// Ends the span that the figures are of.
    pub fn measured(&mut self) {
        self.outcome.seconds = self.started.elapsed().as_secs_f64();
        self.outcome.cpu_seconds = cpu_seconds() - self.started_cpu;
    }

    fn print(&self, scenario: &str, ok: bool) {
        let outcome = &self.outcome;
        let described = |describe: fn(&Connection) -> String| self.connection.as_ref().map(describe);
        Json::new()
            .raw("ok", ok)
            .text("peer", LIBRARY)
            .text("scenario", scenario)
            .fault("error", outcome.error.as_ref())
            .text("alpn", &described(endpoint::protocol).unwrap_or_default())
            .text("peer_certificate_sha256", &described(endpoint::certificate_digest).unwrap_or_default())
            .raw("handshake_ms", self.handshake.as_secs_f64() * 1000.0)
            .raw("bytes", outcome.bytes)
            .raw("count", outcome.count)
            .raw("sent", outcome.sent)
            .raw("key_updates", outcome.key_updates)
            .text("sha256", &outcome.sha256)
            .raw("seconds", outcome.seconds)
            .raw("cpu_seconds", outcome.cpu_seconds)
            .raw("goodput_bits_per_second", outcome.bytes as f64 * 8.0 / outcome.seconds)
            .raw("stats", described(endpoint::stats).unwrap_or_else(|| "null".into()))
            .print();
    }
}
