//! TLS to the server.

use super::cluster::{Cluster, PASSWORD};
use super::{put, raw_key, text, unavailable};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use smart_store::{PostgresConfig, PostgresStore};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const HOST: &str = "db.example";

/// Puts a certificate for [`HOST`] into the server's folder, and turns TLS on.
fn with_certificate(folder: &Path) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([HOST.to_owned()]).unwrap();
    std::fs::write(folder.join("server.crt"), cert.pem()).unwrap();
    let key = folder.join("server.key");
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let folder = folder.display();
    format!("ssl = on\nssl_cert_file = '{folder}/server.crt'\nssl_key_file = '{folder}/server.key'")
}

fn config(cluster: &Cluster, host: &str) -> PostgresConfig {
    let url = format!("host={host} hostaddr=127.0.0.1 port={} user=postgres sslmode=verify-full", cluster.port);
    PostgresConfig::parse(&url).unwrap().with_password(PASSWORD)
}

fn store(config: PostgresConfig) -> PostgresStore {
    PostgresStore::new(config, raw_key()).unwrap()
}

/// SE-01, F-77 (RFC 8446; libpq's verify-full): over TLS with a certificate for its name that is trusted; a wrong name and an
/// authority that is not trusted are refused before the password is sent, with what to do about it.
#[tokio::test]
async fn the_certificate_is_verified() {
    let Some(cluster) = Cluster::start_with(with_certificate) else { return };
    let pem = std::fs::read(cluster.folder().join("server.crt")).unwrap();
    let trusting = |host| config(&cluster, host).with_root_certificates(&pem).unwrap();
    let over_tls = store(trusting(HOST));
    put(&over_tls, "a", &"tokens".repeat(10_000)).await;
    assert_eq!(text(&over_tls, "a").await.unwrap().len(), 60_000);
    let admin = cluster.admin().await;
    let count = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                 WHERE application_name = 'smart-store' AND ssl AND version IN ('TLSv1.2', 'TLSv1.3')";
    assert!(admin.query_one(count, &[]).await.unwrap().get::<_, i64>(0) > 0);
    for refused in [trusting("other.example"), trusting("127.0.0.1"), config(&cluster, HOST)] {
        let (reason, retryable) = unavailable(store(refused).open().await);
        assert!(reason.contains("certificate") && reason.contains("with_root_certificates"), "{reason}");
        assert!(!retryable, "{reason}");
    }
    let log = std::fs::read_to_string(cluster.folder().join("log")).unwrap();
    assert!(!log.contains("password authentication failed"));
    assert!(config(&cluster, HOST).with_root_certificates(b"").is_err());
    assert!(config(&cluster, HOST).with_root_certificates(b"-----BEGIN CERTIFICATE-----\nAAAA").is_err());
}

/// SE-01, SE-11 (RFC 9700 2.6): a server on another host that has no TLS is refused; without TLS only when the caller says
/// that it is dangerous.
#[tokio::test]
async fn a_server_without_tls_is_refused() {
    let Some(cluster) = Cluster::start() else { return };
    let (reason, retryable) = unavailable(store(config(&cluster, HOST)).open().await);
    assert!(reason.contains("does not support TLS") && !retryable, "{reason}");
    store(config(&cluster, HOST).dangerous_without_tls()).open().await.unwrap();
    let sockets = cluster.folder().display();
    let local = format!("host={sockets} port={} user=postgres", cluster.port);
    store(PostgresConfig::parse(&local).unwrap()).open().await.unwrap();
}
