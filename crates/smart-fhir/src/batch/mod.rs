//! Batches and transactions: many requests in one Bundle.

mod answer;
mod builder;
mod urn;

pub use answer::{BatchAnswer, EntryAnswer, EntryError};
pub use builder::{Batch, Entry};
