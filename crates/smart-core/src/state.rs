//! The `state` and `nonce` of an authorization request: one pair per request, 256 random bits each.

use crate::random::{RandomError, SecureRandom, random_token};
use crate::secret::{Secret, SecretText, secret_types};

secret_types! {
    /// Ties a callback to the authorization request that caused it (RFC 6749, section 10.12; SMART, App protection).
    ///
    /// It says nothing about user or patient. Compared in constant time.
    State;
    /// Ties an ID token to the authorization request that caused it (OpenID Connect Core, section 3.1.2.1).
    Nonce;
}

impl State {
    /// Makes a fresh state: 32 random octets as 43 characters, well over the 122 bits that SMART asks for.
    ///
    /// # Errors
    /// [`RandomError`] when the source fails.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, RandomError> {
        random_token::<32>(random).map(Self::new)
    }

    /// A name under which the pending authorization can be stored and found again: base64url of SHA-256 of the
    /// state. It does not give the state away, so it may appear as a key in a store.
    pub fn lookup_key(&self) -> String {
        use base64::Engine as _;
        let digest = ring::digest::digest(&ring::digest::SHA256, self.expose_secret().as_bytes());
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.as_ref())
    }
}

impl Nonce {
    /// Makes a fresh nonce, as strong as a [`State`].
    ///
    /// # Errors
    /// [`RandomError`] when the source fails.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, RandomError> {
        random_token::<32>(random).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::{Broken, Counting};
    use std::collections::HashSet;

    /// ST-01, SE-07, F-17 (SMART, App protection; RFC 6749 10.10): fresh and unpredictable, at least 122 bits.
    #[test]
    fn states_are_fresh_and_long_enough() {
        let random = Counting::default();
        let seen: HashSet<String> =
            (0..1000).map(|_| State::generate(&random).unwrap().expose_secret().to_owned()).collect();
        assert_eq!(seen.len(), 1000);
        assert!(seen.iter().all(|s| s.len() * 6 >= 256));
        assert!(State::generate(&Broken).is_err());
    }

    /// ST-06 (SMART, App protection): a state is compared by value in constant time, and its key hides it.
    #[test]
    fn lookup_key_hides_the_state() {
        let random = Counting::default();
        let (a, b) = (State::generate(&random).unwrap(), State::generate(&random).unwrap());
        assert_ne!(a, b);
        assert_eq!(a.lookup_key(), State::new(a.expose_secret()).lookup_key());
        assert_ne!(a.lookup_key(), b.lookup_key());
        assert!(!a.lookup_key().contains(a.expose_secret()));
    }
}
