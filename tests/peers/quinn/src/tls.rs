//! TLS that asks for proof of a key and never for who signed it.

use crate::options::Options;
use crate::output::Fault;
use rustls::client::{ServerCertVerified, ServerCertVerifier};
use rustls::server::{ClientCertVerified, ClientCertVerifier};
use rustls::{Certificate, CipherSuite, PrivateKey, SupportedCipherSuite};
use std::sync::Arc;
use std::time::SystemTime;

/// Accepts any certificate of either side; the signature over the handshake is checked by the library all the same.
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &Certificate,
        _: &[Certificate],
        _: &rustls::ServerName,
        _: &mut dyn Iterator<Item = &[u8]>,
        _: &[u8],
        _: SystemTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_root_subjects(&self) -> Option<rustls::DistinguishedNames> {
        Some(Vec::new())
    }

    fn verify_client_cert(&self, _: &Certificate, _: &[Certificate], _: SystemTime) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }
}

pub fn server(options: &Options) -> Result<rustls::ServerConfig, Fault> {
    let builder = rustls::ServerConfig::builder()
        .with_cipher_suites(&suites(&options.cipher)?)
        .with_safe_default_kx_groups()
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(failed)?;
    let builder = match options.client_ca_any {
        true => builder.with_client_cert_verifier(Arc::new(AnyCertificate)),
        false => builder.with_no_client_auth(),
    };
    let (chain, key) = identity(options)?;
    let mut config = builder.with_single_cert(chain, key).map_err(failed)?;
    config.alpn_protocols = vec![options.alpn.clone().into_bytes()];
    config.key_log = key_log(options);
    if options.no_tickets {
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    }
    Ok(config)
}

pub fn client(options: &Options) -> Result<rustls::ClientConfig, Fault> {
    let builder = rustls::ClientConfig::builder()
        .with_cipher_suites(&suites(&options.cipher)?)
        .with_safe_default_kx_groups()
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(failed)?
        .with_custom_certificate_verifier(Arc::new(AnyCertificate));
    let mut config = match options.cert.is_empty() {
        true => builder.with_no_client_auth(),
        false => {
            let (chain, key) = identity(options)?;
            builder.with_single_cert(chain, key).map_err(failed)?
        }
    };
    config.alpn_protocols = vec![options.alpn.clone().into_bytes()];
    config.key_log = key_log(options);
    // Every handshake is a full one.
    config.session_storage = Arc::new(rustls::client::NoClientSessionStorage {});
    Ok(config)
}

fn failed(error: rustls::Error) -> Fault {
    Fault::Local(error.to_string())
}

// The library's key log reads its file's name from the environment.
fn key_log(options: &Options) -> Arc<dyn rustls::KeyLog> {
    if options.keylog.is_empty() {
        return Arc::new(rustls::NoKeyLog {});
    }
    std::env::set_var("SSLKEYLOGFILE", &options.keylog);
    Arc::new(rustls::KeyLogFile::new())
}

fn suites(name: &str) -> Result<Vec<SupportedCipherSuite>, Fault> {
    let wanted = match name {
        "" => None,
        "aes128" => Some(CipherSuite::TLS13_AES_128_GCM_SHA256),
        "aes256" => Some(CipherSuite::TLS13_AES_256_GCM_SHA384),
        "chacha20" => Some(CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
        _ => return Err(Fault::Local("--cipher is aes128, aes256 or chacha20".into())),
    };
    Ok(rustls::DEFAULT_CIPHER_SUITES.iter().copied().filter(|suite| wanted.map_or(true, |name| suite.suite() == name)).collect())
}

fn identity(options: &Options) -> Result<(Vec<Certificate>, PrivateKey), Fault> {
    let mut certificates = std::io::BufReader::new(std::fs::File::open(&options.cert)?);
    let chain = rustls_pemfile::certs(&mut certificates)?.into_iter().map(Certificate).collect();
    let mut keys = std::io::BufReader::new(std::fs::File::open(&options.key)?);
    match rustls_pemfile::pkcs8_private_keys(&mut keys)?.into_iter().next() {
        Some(key) => Ok((chain, PrivateKey(key))),
        None => Err(Fault::Local(format!("{} holds no PKCS #8 key", options.key))),
    }
}
