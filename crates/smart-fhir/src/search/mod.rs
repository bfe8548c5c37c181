//! Searching: the query, and its result as a stream over pages.

mod pages;
mod query;
mod stream;
mod value;

pub use pages::PageStream;
pub use query::SearchQuery;
pub use stream::{EntryStream, SearchStream};
pub use value::{Prefix, SearchValue};
