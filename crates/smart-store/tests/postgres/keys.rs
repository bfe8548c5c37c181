//! Where the data keys of a fleet come from.

use super::cluster::Cluster;
use super::{key, put, text, value};
use smart_store::{
    BoxFuture, DataKey, Expected, KeyError, KeyManagement, PostgresStore, RawKey, SecretBytes, Store as _, StoreError,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A service that turns the octets round, unless it is down.
#[derive(Clone, Default)]
struct ToyService(Arc<AtomicBool>);

impl ToyService {
    fn turned(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        if self.0.load(Ordering::SeqCst) {
            return Err(KeyError::Unavailable {
                place: "a toy".to_owned(),
                reason: "it is down".to_owned(),
                retryable: true,
            });
        }
        Ok(octets.iter().map(|octet| !octet).collect())
    }
}

impl KeyManagement for ToyService {
    fn wrap_key<'a>(&'a self, secret: &'a SecretBytes) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        Box::pin(async { self.turned(secret.expose_secret()) })
    }

    fn unwrap_key<'a>(&'a self, wrapped: &'a [u8]) -> BoxFuture<'a, Result<SecretBytes, KeyError>> {
        Box::pin(async { self.turned(wrapped).map(SecretBytes::new) })
    }

    fn place(&self) -> String {
        "a toy".to_owned()
    }
}

/// F-77, F-79: with a key management service all machines find the same wrapped keys in the database, follow a rotation by
/// any of them, and say clearly when the service is down.
#[tokio::test]
async fn machines_share_wrapped_keys() {
    let Some(cluster) = Cluster::start() else { return };
    let service = ToyService::default();
    // The fewest connections that there may be: keys are loaded while others wait for them.
    let config = cluster.config().with_max_connections(1);
    let open = || PostgresStore::with_key_management(config.clone(), service.clone()).unwrap();
    let (one, two) = (open(), open());
    put(&one, "a", "tokens").await;
    assert_eq!(text(&two, "a").await.unwrap(), "tokens");
    assert_eq!(one.rotate_key().await.unwrap().resealed, 1);
    assert_eq!(text(&two, "a").await.unwrap(), "tokens");
    put(&two, "b", "more").await;
    assert_eq!(two.rotate_key().await.unwrap().resealed, 2);
    assert_eq!(text(&one, "b").await.unwrap(), "more");
    let keys: Vec<_> = (0..40).map(|n| key(&n.to_string())).collect();
    let fresh = open();
    let many: Vec<_> = keys
        .iter()
        .map(|key| {
            let (fresh, key) = (fresh.clone(), key.clone());
            tokio::spawn(async move { fresh.put(&key, value("x"), Expected::Absent).await })
        })
        .collect();
    for put in many {
        put.await.unwrap().unwrap();
    }
    service.0.store(true, Ordering::SeqCst);
    assert_eq!(text(&one, "a").await.unwrap(), "tokens", "who has the keys goes on");
    let error = open().get(&key("a")).await.unwrap_err();
    assert!(matches!(error, StoreError::Sealed { .. }) && error.is_retryable(), "{error}");
    assert!(error.to_string().contains("it is down"), "{error}");
}

/// F-77, F-84: a lost data key is not an empty store: nothing opens, nothing is written, nothing is made anew.
#[tokio::test]
async fn a_lost_key_is_not_an_empty_store() {
    let Some(cluster) = Cluster::start() else { return };
    put(&cluster.store(), "a", "tokens").await;
    let other = PostgresStore::new(cluster.config(), RawKey::new(DataKey::generate().unwrap())).unwrap();
    for _ in 0..2 {
        for result in [
            other.get(&key("a")).await.map(drop),
            other.put(&key("b"), value("x"), Expected::Absent).await.map(drop),
            other.open().await,
        ] {
            assert!(matches!(result, Err(StoreError::Sealed { source: KeyError::Missing { .. }, .. })), "{result:?}");
        }
    }
    assert_eq!(text(&cluster.store(), "a").await.unwrap(), "tokens");
    let lost = PostgresStore::with_key_management(cluster.config(), ToyService::default()).unwrap();
    let error = lost.open().await.unwrap_err();
    assert!(matches!(error, StoreError::Sealed { source: KeyError::Missing { .. }, .. }), "{error}");
    assert_eq!(cluster.store().check().await.unwrap().readable, 1);
}
