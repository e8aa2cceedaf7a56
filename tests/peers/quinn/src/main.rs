//! The quinn peer of the tests and benchmarks: server or client of the protocol gimlet-interop (../../README.md).

mod bench;
mod client;
mod datagrams;
mod endpoint;
mod options;
mod output;
mod pattern;
mod requests;
mod scenarios;
mod server;
mod tls;

use options::Options;

/// The library's version, as Debian 12 has it.
const LIBRARY: &str = "quinn 0.9.3";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let role = arguments.first().map(String::as_str).unwrap_or("");
    let options = match Options::parse(arguments.get(1..).unwrap_or(&[])) {
        Ok(options) if role == "client" || role == "server" => options,
        Ok(_) => usage("client or server?"),
        Err(problem) => usage(&problem),
    };
    let runtime = match options.threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        0 => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
        n => tokio::runtime::Builder::new_multi_thread().worker_threads(n).enable_all().build(),
    };
    let code = match runtime {
        Ok(runtime) if role == "server" => runtime.block_on(server::serve(options)),
        Ok(runtime) => runtime.block_on(client::run(options)),
        Err(error) => {
            eprintln!("{error}");
            1
        }
    };
    // Without waiting for tasks that are left behind.
    std::process::exit(code);
}

fn usage(problem: &str) -> ! {
    eprintln!("{problem}");
    eprintln!("usage: quinn-peer server|client [options]; the options are in tests/peers/README.md");
    std::process::exit(2);
}
