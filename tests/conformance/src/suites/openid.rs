//! Who logged in (SMART App Launch 2.2, identity; OpenID Connect Core 1.0).

use super::check;
use super::steps::{any_app, login, session};
use crate::check::{Stop, Suite, ensure};
use smart_flows::Error;

pub(super) fn suite() -> Suite {
    Suite {
        name: "openid",
        about: "The ID token is validated and tells who logged in.",
        checks: vec![
            check!(
                "the ID token is valid, and names issuer and subject",
                ["ID-05", "ID-06", "ID-08", "ID-17"],
                |target| {
                    let session = session(target).await?;
                    let Some(user) = session.user()? else { return Err(Stop::failed("there is no validated user")) };
                    ensure(!user.issuer.is_empty() && !user.subject.is_empty(), "issuer or subject is empty")?;
                    ensure(
                        user.algorithm != "none" && !user.algorithm.starts_with("HS"),
                        "the algorithm is no signature",
                    )
                }
            ),
            check!("fhirUser names a person", ["ID-21", "SC-25"], |target| {
                let session = session(target).await?;
                ensure(session.fhir_user()?.is_some(), "there is no fhirUser")
            }),
            check!("UserInfo is about the same subject", ["ID-26"], |target| {
                let session = session(target).await?;
                match session.userinfo().await {
                    Ok(_) => Ok(()),
                    Err(Error::NotSupported { .. }) => Err(Stop::skipped("the server has no UserInfo endpoint")),
                    Err(error) => Err(error.into()),
                }
            }),
            check!("without openid there is no user, and no fault", ["ID-24", "AZ-10"], |target| {
                let scopes: Vec<String> = target
                    .scopes()
                    .split(' ')
                    .filter(|scope| !matches!(*scope, "openid" | "fhirUser" | "profile"))
                    .map(str::to_owned)
                    .collect();
                let session = login(target, any_app(target)?, &scopes.join(" ")).await?;
                ensure(session.user()?.is_none(), "there is a user")
            }),
        ],
    }
}
