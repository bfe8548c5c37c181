//! Reports of results: a table for a terminal, JSON, JUnit XML, and a page.

mod html;
mod json;
mod junit;
mod markup;
mod table;

pub use html::html;
pub use json::json;
pub use junit::junit;
pub use table::{line, summary};
