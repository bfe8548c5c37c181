//! Building the transport: trust and policy.

use super::HyperTransport;
use super::connector::TcpConnector;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;
use std::time::Duration;

/// Builds a [`HyperTransport`].
#[derive(Debug, Clone, Default)]
pub struct HyperTransportBuilder {
    extra_roots: Vec<CertificateDer<'static>>,
    https_only: bool,
    refuse_private: bool,
}

/// A root certificate that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no usable root certificate: the text must hold one or more PEM blocks of the type CERTIFICATE")]
pub struct CertificateError;

impl HyperTransportBuilder {
    /// Trusts the certificates of a PEM text as roots, besides those of the platform: for a hospital's own authority.
    ///
    /// # Errors
    /// [`CertificateError`] when there is none or one of them is malformed.
    pub fn add_root_certificate_pem(mut self, pem: &[u8]) -> Result<Self, CertificateError> {
        let before = self.extra_roots.len();
        let mut check = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| CertificateError)?;
            check.add(certificate.clone()).map_err(|_| CertificateError)?;
            self.extra_roots.push(certificate);
        }
        if self.extra_roots.len() == before { Err(CertificateError) } else { Ok(self) }
    }

    /// Whether plain http is refused on loopback hosts too. By default it is allowed there, and nowhere else
    /// (requirement SE-02); whether it is wanted is for [`UrlPolicy`](smart_core::url_policy::UrlPolicy) to say.
    pub fn https_only(mut self, https_only: bool) -> Self {
        self.https_only = https_only;
        self
    }

    /// Refuses hosts on loopback, link-local, private and other addresses that are no one's on the internet, whatever name they
    /// go by: for a server that talks to FHIR bases which others name (launches by any issuer), so that nobody can make it reach
    /// into its own network (RFC 9700, section 4.9.1). Addresses are checked as they are resolved, so that a name which changes
    /// between two lookups does not get by.
    pub fn refuse_private_addresses(mut self) -> Self {
        self.refuse_private = true;
        self
    }

    /// The transport. It reads the platform's root certificates once, here; a machine that has none gets a
    /// transport whose https exchanges fail with
    /// [`ConnectFailure::NoTrustedRoots`](crate::ConnectFailure::NoTrustedRoots).
    pub fn build(self) -> HyperTransport {
        let secure = tls_config(self.extra_roots).map_err(|error| Arc::from(error.to_string())).map(|tls| {
            let connector =
                HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().enable_http2();
            pool().build(connector.wrap_connector(TcpConnector::new(self.refuse_private)))
        });
        let plain = (!self.https_only).then(|| pool().build(TcpConnector::new(self.refuse_private)));
        HyperTransport { secure, plain }
    }
}

fn pool() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_mins(1))
        .pool_max_idle_per_host(64);
    builder
}

/// TLS 1.2 and 1.3, the platform's roots and the extra ones, certificate and host name verified.
fn tls_config(extra_roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra_roots, Arc::clone(&provider))?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous() // the name of rustls for any verifier but its own; this one is the platform's
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}
