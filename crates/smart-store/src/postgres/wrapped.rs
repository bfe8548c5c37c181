//! Keys that a key management service wraps, in the database beside the records: all machines find them there.

use super::connection::Value;
use super::failure::Failure;
use super::pool::Pool;
use super::statements::Statements;
use crate::error::StoreError;
use crate::keys::{KeyError, KeyManagement, KeyRing, KeySource};
use crate::store::BoxFuture;
use std::sync::Arc;

pub(super) struct WrappedInDatabase<K> {
    pub(super) service: K,
    pub(super) pool: Arc<Pool>,
    pub(super) statements: Arc<Statements>,
}

impl<K: KeyManagement> WrappedInDatabase<K> {
    fn failed(&self, failure: &Failure) -> KeyError {
        let (reason, retryable) = match failure.at("", "asking for the wrapped keys") {
            StoreError::Unavailable { reason, retryable, .. } => (reason, retryable),
            other => (other.to_string(), false),
        };
        KeyError::Unavailable { place: self.place(), reason, retryable }
    }
}

impl<K: KeyManagement> KeySource for WrappedInDatabase<K> {
    fn load(&self) -> BoxFuture<'_, Result<Option<KeyRing>, KeyError>> {
        Box::pin(async {
            let failed = |failure| self.failed(&failure);
            let mut connection = self.pool.take().await.map_err(failed)?;
            let rows = connection.run("reading the wrapped keys", &self.statements.wrapped_keys, &[]).await;
            drop(connection);
            let wrapped = match rows.map_err(failed)?.first() {
                Some(row) => row.try_get::<_, Option<Vec<u8>>>(0).map_err(|_| failed(Failure::Strange))?,
                None => None,
            };
            let Some(wrapped) = wrapped else { return Ok(None) };
            let text = self.service.unwrap_key(&wrapped).await?;
            KeyRing::from_secret_text(text.expose_secret(), &self.place()).map(Some)
        })
    }

    fn save<'a>(&'a self, keys: &'a KeyRing) -> BoxFuture<'a, Result<(), KeyError>> {
        Box::pin(async {
            let failed = |failure| self.failed(&failure);
            let text = keys.to_secret_text();
            let wrapped = self.service.wrap_key(&text).await?;
            let mut connection = self.pool.take().await.map_err(failed)?;
            let values = [Value::Octets(&wrapped)];
            connection
                .run("writing the wrapped keys", &self.statements.store_wrapped_keys, &values)
                .await
                .map_err(failed)?;
            Ok(())
        })
    }

    fn place(&self) -> String {
        format!("{} (wrapped by {})", self.pool.config().place(), self.service.place())
    }
}
