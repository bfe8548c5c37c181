//! Bulk exports (Bulk Data Access, export).

mod files;
mod jobs;
mod kick_off;
mod steps;

use crate::check::Suite;

pub(super) fn suite() -> Suite {
    let mut checks = kick_off::checks();
    checks.extend(jobs::checks());
    checks.extend(files::checks());
    Suite { name: "bulk", about: "A backend service exports whole populations.", checks }
}
