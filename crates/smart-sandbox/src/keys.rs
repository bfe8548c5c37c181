//! The keys that the sandbox signs ID tokens with.

use serde_json::{Value, json};
use smart_jwt::SigningKey;
use std::sync::{Arc, PoisonError, RwLock};

/// The key that signs, and those that are published.
pub(crate) struct SandboxKeys(RwLock<Keys>);

struct Keys {
    signing: Arc<SigningKey>,
    published: Vec<Arc<SigningKey>>,
}

impl SandboxKeys {
    pub(crate) fn new(key: SigningKey) -> Self {
        let signing = Arc::new(key);
        Self(RwLock::new(Keys { published: vec![signing.clone()], signing }))
    }

    /// The key that signs now.
    pub(crate) fn signing(&self) -> Arc<SigningKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).signing.clone()
    }

    /// The JWK set.
    pub(crate) fn published(&self) -> Value {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<Value> = keys.published.iter().map(|key| key.public_jwk().to_json()).collect();
        json!({ "keys": keys })
    }

    /// Signs with another key from now on; without `publish` nobody can find it.
    pub(crate) fn replace(&self, key: SigningKey, publish: bool) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        keys.signing = Arc::new(key);
        if publish {
            keys.published = vec![keys.signing.clone()];
        }
    }
}
