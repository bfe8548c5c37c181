//! The suites, named after the capabilities.

mod backend;
mod bulk;
mod discovery;
mod ehr;
mod negative;
mod openid;
mod scopes;
mod standalone;
mod steps;
mod tokens;

use crate::check::Suite;

/// Makes a check of an async block over a target.
macro_rules! check {
    ($name:literal, [$($id:literal),+ $(,)?], |$target:ident| $body:block) => {
        $crate::check::Check {
            name: $name,
            ids: &[$($id),+],
            run: |$target| Box::pin(async move { $body }),
        }
    };
}
pub(crate) use check;

/// All suites, in the order in which they run.
pub fn all() -> Vec<Suite> {
    vec![
        discovery::suite(),
        standalone::public(),
        standalone::symmetric(),
        standalone::asymmetric(),
        ehr::suite(),
        backend::suite(),
        openid::suite(),
        tokens::refresh(),
        tokens::introspection(),
        tokens::revocation(),
        scopes::v1(),
        scopes::v2(),
        scopes::context(),
        bulk::suite(),
        negative::suite(),
    ]
}
