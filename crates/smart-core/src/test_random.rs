//! A predictable random source for this crate's tests.

use crate::random::{RandomError, SecureRandom};
use std::sync::atomic::{AtomicU64, Ordering};

/// Gives other octets at each call, the same in each run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl SecureRandom for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        let call = self.0.fetch_add(1, Ordering::Relaxed);
        let digest = ring::digest::digest(&ring::digest::SHA512, &call.to_be_bytes());
        for (octet, from) in buffer.iter_mut().zip(digest.as_ref().iter().cycle()) {
            *octet = *from;
        }
        Ok(())
    }
}

/// A source that fails.
pub(crate) struct Broken;

impl SecureRandom for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}
