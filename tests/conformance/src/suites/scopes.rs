//! Scopes of both versions, and the launch context.

use super::check;
use super::steps::{any_app, discovered, login, session};
use crate::check::{Outcome, Stop, Suite, ensure};
use crate::target::Target;
use smart_core::discovery::Capability;
use smart_core::scope::Interaction;

async fn offers(target: &dyn Target, capability: Capability) -> Outcome {
    let capabilities = discovered(target).await?.configuration.capabilities;
    let name = format!("{capability}");
    if capabilities.contains(&capability) { Ok(()) } else { Err(Stop::skipped(format!("the server has no {name}"))) }
}

pub(super) fn v1() -> Suite {
    Suite {
        name: "scopes-v1",
        about: "Scopes as `patient/Observation.read`.",
        checks: vec![check!("reading is granted and understood", ["SC-03", "SC-05", "SC-15", "SC-29"], |target| {
            offers(target, Capability::PermissionV1).await?;
            let session =
                login(target, any_app(target)?, "launch/patient patient/Observation.read patient/Patient.read").await?;
            let granted = session.granted_scopes()?;
            ensure(session.can(Interaction::Read, "Observation"), format!("reading is not allowed by {granted}"))?;
            ensure(session.can(Interaction::SearchType, "Observation"), "searching is not allowed")?;
            ensure(!session.can(Interaction::Create, "Observation"), "writing is allowed")
        })],
    }
}

pub(super) fn v2() -> Suite {
    Suite {
        name: "scopes-v2",
        about: "Scopes as `patient/Observation.rs`.",
        checks: vec![
            check!("what was asked for is compared with what was granted", ["SC-01", "SC-15", "SC-17"], |target| {
                offers(target, Capability::PermissionV2).await?;
                let session = session(target).await?;
                let comparison = session.scope_comparison()?;
                ensure(!comparison.granted.to_string().is_empty(), "nothing was granted")
            }),
            check!("one letter is one right", ["SC-07", "SC-32"], |target| {
                offers(target, Capability::PermissionV2).await?;
                let session =
                    login(target, any_app(target)?, "launch/patient patient/Patient.r patient/Observation.s").await?;
                ensure(session.can(Interaction::Read, "Patient"), "reading the patient is not allowed")?;
                ensure(!session.can(Interaction::SearchType, "Patient"), "searching patients is allowed")?;
                ensure(!session.can(Interaction::Read, "Observation"), "reading observations is allowed")
            }),
        ],
    }
}

pub(super) fn context() -> Suite {
    Suite {
        name: "context",
        about: "What the token says of the patient, the encounter and how to show them.",
        checks: vec![
            check!("a patient who was asked for comes", ["CX-01", "CX-12", "SC-24"], |target| {
                ensure(!session(target).await?.patient()?.is_empty(), "the id is empty")
            }),
            check!("members that SMART does not name are kept", ["CX-11", "TK-08"], |target| {
                let context = session(target).await?.context()?;
                ensure(!context.other.contains_key("access_token"), "a token is kept among them")
            }),
        ],
    }
}
