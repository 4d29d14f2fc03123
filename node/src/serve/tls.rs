//! Encryption of the port, from certificate files that can be read again while the node runs.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::Settings;
use crate::failure::Failure;

/// A certificate with its key; clones share it.
#[derive(Clone)]
pub(super) struct Certificate {
    files: Arc<(PathBuf, PathBuf)>,
    in_use: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Certificate {
    /// The certificate that the settings name; none where they name none.
    ///
    /// # Errors
    /// `certificate` where a file cannot be read or the two do not belong together.
    pub(super) fn of(settings: &Settings) -> Result<Option<Self>, Failure> {
        let files = match (&settings.tls_certificate, &settings.tls_key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            _ => {
                let what = "expected both of the settings tls_certificate and tls_key, got one";
                return Err(Failure::usage(what, "give both, or none for plain HTTP"));
            }
        };
        let config = read(&files)?;
        Ok(Some(Self { files: Arc::new(files), in_use: Arc::new(RwLock::new(Arc::new(config))) }))
    }

    /// Reads the files again, for connections from now on.
    ///
    /// # Errors
    /// As [`Certificate::of`]; then the one in use stays.
    pub(super) fn reload(&self) -> Result<(), Failure> {
        let config = Arc::new(read(&self.files)?);
        *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Agrees with a client on encryption.
    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.in_use.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(stream).await
    }
}

fn read((certificate, key): &(PathBuf, PathBuf)) -> Result<ServerConfig, Failure> {
    let failed = |what: String| {
        Failure::refused(
            "certificate",
            what,
            "give PEM files: tls_certificate the chain, the node's own first, and tls_key its key",
        )
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| failed(format!("cannot read {}: {error}", certificate.display())))?;
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| failed(format!("cannot read {}: {error}", key.display())))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| failed(format!("{}: {error}", certificate.display())))
}
