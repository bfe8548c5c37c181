//! What happens to tokens after the login: refresh, introspection, revocation.

use super::check;
use super::steps::{login, session};
use crate::check::{Stop, Suite, ensure};
use crate::target::{Registration, Target};
use smart_flows::{Error, Session};
use std::sync::Arc;
use std::time::Duration;

async fn renewable(target: &dyn Target) -> Result<Session, Stop> {
    let session = session(target).await?;
    if session.can_refresh() { Ok(session) } else { Err(Stop::skipped("the server gave no refresh token")) }
}

/// A session of an app that can say who it is, where there is one: not every server tells public clients about tokens.
async fn confidential(target: &dyn Target) -> Result<Session, Stop> {
    match target.app(Registration::Symmetric).or_else(|| target.app(Registration::Asymmetric)) {
        Some(app) => login(target, app, &target.scopes()).await,
        None => session(target).await,
    }
}

/// `None` where the server has no such endpoint.
fn supported<T>(result: Result<T, Error>) -> Result<T, Stop> {
    match result {
        Ok(value) => Ok(value),
        Err(Error::NotSupported { .. }) => Err(Stop::skipped("the server has no such endpoint")),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn refresh() -> Suite {
    Suite {
        name: "refresh",
        about: "Tokens are renewed.",
        checks: vec![
            check!("a refresh brings another token, and the context stays", ["RF-01", "RF-04", "RF-07"], |target| {
                let session = renewable(target).await?;
                let (token, context) = (session.access_token().await?, session.context()?);
                // Some servers' tokens are signed texts that differ by their second alone.
                tokio::time::sleep(Duration::from_millis(1100)).await;
                session.refresh().await?;
                ensure(session.access_token().await? != token, "it is the same")?;
                ensure(session.context()? == context, "the context is another")
            }),
            check!("a refresh token that was rotated goes on", ["RF-04", "RF-11"], |target| {
                let session = renewable(target).await?;
                for _ in 0..3 {
                    session.refresh().await?;
                }
                ensure(session.can_refresh(), "it cannot be renewed any more")
            }),
            check!("many who ask at once cause one refresh", ["RF-05", "RF-06"], |target| {
                let session = Arc::new(renewable(target).await?);
                let tasks: Vec<_> = (0..20)
                    .map(|_| {
                        let session = session.clone();
                        tokio::spawn(async move { session.access_token().await })
                    })
                    .collect();
                let mut tokens = Vec::new();
                for task in tasks {
                    tokens.push(task.await??);
                }
                ensure(tokens.windows(2).all(|pair| pair.first() == pair.last()), "they have different tokens")
            }),
            check!("a session comes back after a restart", ["ST-05", "SE-03"], |target| {
                let app = super::steps::any_app(target)?.scopes(&target.scopes())?;
                let store: Arc<dyn smart_on_fhir::store::Store> = Arc::new(smart_on_fhir::store::MemoryStore::new());
                let client = target.builder(app.clone()).store(store.clone()).build();
                let launch = client.standalone(&target.fhir_base()).await?;
                let redirect_uri = smart_core::redirect_uri::RedirectUri::parse(&target.redirect_uri())?;
                let (request, pending) = launch.authorize(&redirect_uri)?;
                let callback = target.browse(&request.url()).await?;
                let session = client.complete(pending, callback.as_str()).await?;
                let (key, patient) = (session.key().clone(), session.context()?.patient);
                drop((session, client));
                let again = target.builder(app).store(store).build();
                let Some(restored) = again.restore(&key).await? else { return Err(Stop::failed("it is gone")) };
                ensure(restored.context()?.patient == patient, "another patient is open")?;
                restored.access_token().await?;
                Ok(())
            }),
        ],
    }
}

pub(super) fn introspection() -> Suite {
    Suite {
        name: "introspection",
        about: "The server tells about tokens (RFC 7662).",
        checks: vec![
            check!("a token of a session is active", ["IN-01", "IN-02", "IN-03"], |target| {
                let session = confidential(target).await?;
                ensure(supported(session.introspect().await)?.is_active(), "it is not")
            }),
            check!("a revoked token is not", ["IN-03", "RV-06"], |target| {
                let (one, other) = (confidential(target).await?, confidential(target).await?);
                supported(other.introspect().await)?;
                let asked = one.introspect().await?;
                ensure(asked.is_active(), "it was not active before")?;
                supported(one.revoke().await)?;
                ensure(one.introspect().await.map_or(true, |answer| !answer.is_active()), "it is active still")
            }),
        ],
    }
}

pub(super) fn revocation() -> Suite {
    Suite {
        name: "revocation",
        about: "Tokens are revoked (RFC 7009), and a logout leaves nothing.",
        checks: vec![
            check!("a logout revokes, and wipes", ["RV-01", "RV-02", "RV-03", "RV-05"], |target| {
                let session = session(target).await?;
                let report = session.logout().await;
                ensure(report.wiped.is_ok(), "the record is still there")?;
                supported(report.revoked)
            }),
            check!("a session that is over gives no token", ["RV-06"], |target| {
                let session = session(target).await?;
                session.logout().await;
                ensure(session.access_token().await.is_err(), "it does")?;
                ensure(session.refresh().await.is_err(), "it can be renewed")
            }),
        ],
    }
}
