//! Searching: the query, and its result as a stream over pages.

mod pages;
mod query;
mod stream;
mod value;

pub use pages::PageStream;
pub use query::SearchQuery;
pub(crate) use query::encoded;
pub use stream::{EntryStream, SearchStream};
pub use value::{Modifier, Prefix, SearchValue, Total};
