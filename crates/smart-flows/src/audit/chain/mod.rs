//! The chain that audit lines form, and how its breaks are found.

mod anchor;
mod files;
pub(crate) mod line;
mod lines;
mod report;
pub(crate) mod seal;
mod verifier;
mod walk;

pub use anchor::{Anchor, AnchorError};
pub use files::closed_files;
pub(crate) use files::closed_name;
pub(crate) use lines::{Lines, Piece};
pub use report::{BreakKind, ChainBreak, ChainReport, VerifyError};
pub use verifier::{Verifier, verify};
