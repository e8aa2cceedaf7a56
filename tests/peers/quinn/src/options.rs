//! The one command line of both roles and of both programs.

#[derive(Clone)]
pub struct Options {
    pub listen: String,
    pub connect: String,
    pub sni: String,
    pub alpn: String,
    pub cert: String,
    pub key: String,
    pub keylog: String,
    pub cipher: String,
    pub scenario: String,
    pub reset_key: String,
    pub version: String,
    pub client_ca_any: bool,
    pub retry: bool,
    pub no_tickets: bool,
    pub stop_on_stdin: bool,
    pub quiet: bool,
    pub idle_ms: u64,
    pub keep_alive_ms: u64,
    pub timeout_ms: u64,
    pub mtu: u64,
    pub cid_length: Option<u64>,
    pub socket_buffer: u64,
    pub code: u64,
    pub count: u64,
    pub parallel: u64,
    pub streams: u64,
    pub size: u64,
    pub min_percent: u64,
    pub max_streams: u64,
    pub stream_window: u64,
    pub connection_window: u64,
    pub bytes: u64,
    pub seconds: f64,
    pub threads: usize,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            match name.as_str() {
                "--client-ca-any" => options.client_ca_any = true,
                "--retry" => options.retry = true,
                "--no-tickets" => options.no_tickets = true,
                "--stop-on-stdin" => options.stop_on_stdin = true,
                "--quiet" => options.quiet = true,
                _ => {
                    let value = rest.next().ok_or(format!("{name} lacks its value"))?;
                    options.set(name, value)?;
                }
            }
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = || value.parse::<u64>().map_err(|_| format!("{name}: not a number: {value}"));
        let text = || value.to_string();
        match name {
            "--listen" => self.listen = text(),
            "--connect" => self.connect = text(),
            "--sni" => self.sni = text(),
            "--alpn" => self.alpn = text(),
            "--cert" => self.cert = text(),
            "--key" => self.key = text(),
            "--keylog" => self.keylog = text(),
            "--cipher" => self.cipher = text(),
            "--do" => self.scenario = text(),
            "--reset-key" => self.reset_key = text(),
            "--version" => self.version = text(),
            "--idle-ms" => self.idle_ms = number()?,
            "--keep-alive-ms" => self.keep_alive_ms = number()?,
            "--timeout-ms" => self.timeout_ms = number()?,
            "--mtu" => self.mtu = number()?,
            "--cid-length" => self.cid_length = Some(number()?),
            "--socket-buffer" => self.socket_buffer = number()?,
            "--code" => self.code = number()?,
            "--count" => self.count = number()?,
            "--parallel" => self.parallel = number()?,
            "--streams" => self.streams = number()?,
            "--size" => self.size = number()?,
            "--min-percent" => self.min_percent = number()?,
            "--max-streams" => self.max_streams = number()?,
            "--stream-window" => self.stream_window = number()?,
            "--connection-window" => self.connection_window = number()?,
            "--bytes" => self.bytes = number()?,
            "--threads" => self.threads = number()? as usize,
            "--seconds" => self.seconds = value.parse().map_err(|_| format!("--seconds: not a number: {value}"))?,
            // This library updates its keys when it is asked to (scenario keyupdate, request REKEY), not after so many packets.
            "--key-update-packets" => {
                number()?;
            }
            _ => return Err(format!("not an option: {name}")),
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".into(),
            connect: String::new(),
            sni: "localhost".into(),
            alpn: "gimlet-interop".into(),
            cert: String::new(),
            key: String::new(),
            keylog: String::new(),
            cipher: String::new(),
            scenario: "handshake".into(),
            reset_key: String::new(),
            version: String::new(),
            client_ca_any: false,
            retry: false,
            no_tickets: false,
            stop_on_stdin: false,
            quiet: false,
            idle_ms: 30000,
            keep_alive_ms: 0,
            timeout_ms: 60000,
            mtu: 0,
            cid_length: None,
            socket_buffer: 2 << 20,
            code: 7,
            count: 10,
            parallel: 1,
            streams: 100,
            size: 1000,
            min_percent: 100,
            max_streams: 100,
            stream_window: 0,
            connection_window: 0,
            bytes: 1000000,
            seconds: 3.0,
            threads: 0,
        }
    }
}
