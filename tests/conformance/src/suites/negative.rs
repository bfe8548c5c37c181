//! Servers that are told to misbehave: what they do must be noticed.

use super::check;
use super::steps::{any_app, begun, login, parameter};
use crate::check::{Check, Outcome, Stop, Suite, ensure};
use crate::target::Target;
use smart_sandbox::Misbehaviour;
use url::Url;

/// A login at a server that misbehaves so is refused.
async fn refused(target: &dyn Target, how: Misbehaviour) -> Outcome {
    let Some(other) = target.misbehaving(how) else { return Err(Stop::skipped("this server cannot be told to")) };
    let other = other.await?;
    let (app, scopes) = (any_app(&*other)?, other.scopes());
    match login(&*other, app, &scopes).await {
        Err(Stop::Failed(_)) => Ok(()),
        Err(skipped) => Err(skipped),
        Ok(_) => Err(Stop::failed("the login went through")),
    }
}

/// A login at a server that errs so goes through.
async fn forgiven(target: &dyn Target, how: Misbehaviour) -> Outcome {
    let Some(other) = target.misbehaving(how) else { return Err(Stop::skipped("this server cannot be told to")) };
    let other = other.await?;
    let (app, scopes) = (any_app(&*other)?, other.scopes());
    login(&*other, app, &scopes).await.map(|_| ())
}

/// A callback that was changed on its way is refused.
async fn spoilt(target: &dyn Target, spoil: impl FnOnce(&mut Vec<(String, String)>)) -> Outcome {
    let (client, request, pending) = begun(target, any_app(target)?, &target.scopes()).await?;
    let mut callback = target.browse(&request.url()).await?;
    let mut pairs: Vec<(String, String)> = callback.query_pairs().into_owned().collect();
    spoil(&mut pairs);
    callback.query_pairs_mut().clear().extend_pairs(pairs);
    ensure(client.complete(pending, callback.as_str()).await.is_err(), "it was taken")
}

pub(super) fn suite() -> Suite {
    let mut checks = misbehaviours();
    checks.extend(callbacks());
    Suite { name: "negative", about: "What must not be taken is not taken.", checks }
}

fn misbehaviours() -> Vec<Check> {
    vec![
        check!("a callback with another state is refused", ["ST-02"], |target| {
            refused(target, Misbehaviour::WrongState).await
        }),
        check!("a callback of another issuer is refused", ["CB-03", "CB-04"], |target| {
            refused(target, Misbehaviour::WrongIssuer).await
        }),
        check!("an ID token for another request is refused", ["ID-17"], |target| {
            refused(target, Misbehaviour::WrongNonce).await
        }),
        check!("an ID token signed by somebody else is refused", ["ID-08"], |target| {
            refused(target, Misbehaviour::ForeignKey).await
        }),
        check!("an ID token without a signature is refused", ["ID-09"], |target| {
            refused(target, Misbehaviour::AlgNone).await
        }),
        check!("a token of another type is refused", ["TK-07"], |target| {
            refused(target, Misbehaviour::TokenTypeMac).await
        }),
        check!("a page in place of a token is refused", ["TK-11"], |target| {
            refused(target, Misbehaviour::HtmlToken).await
        }),
        check!("a token endpoint that redirects gets nothing", ["TK-12"], |target| {
            refused(target, Misbehaviour::RedirectToken).await
        }),
        check!("a server without S256 is refused", ["DI-12"], |target| { refused(target, Misbehaviour::NoS256).await }),
        check!("a patient's scopes without a patient are refused", ["TK-16"], |target| {
            refused(target, Misbehaviour::OmitPatient).await
        }),
        check!("a life that is written as text is read", ["TK-10"], |target| {
            forgiven(target, Misbehaviour::ExpiresInString).await
        }),
        check!("a grant that is not spelt out is what was asked for", ["SC-18"], |target| {
            forgiven(target, Misbehaviour::OmitScope).await
        }),
    ]
}

fn callbacks() -> Vec<Check> {
    vec![
        check!("a person who says no is an error with that name", ["CB-02"], |target| {
            let (client, request, pending) = begun(target, any_app(target)?, &target.scopes()).await?;
            let url = request.url();
            let Some(callback) = target.refuse(&url) else { return Err(Stop::skipped("nobody says no here")) };
            let callback: Url = callback.await?;
            ensure(parameter(&callback, "error")? == "access_denied", "the server says something else")?;
            match client.complete(pending, callback.as_str()).await {
                Err(error) => ensure(error.to_string().contains("denied"), format!("it reads: {error}")),
                Ok(_) => Err(Stop::failed("the login went through")),
            }
        }),
        check!("a callback without a state is refused", ["ST-02", "CB-01"], |target| {
            spoilt(target, |pairs| pairs.retain(|(name, _)| name != "state")).await
        }),
        check!("a doubled code is refused", ["CB-06"], |target| {
            spoilt(target, |pairs| pairs.push(("code".to_owned(), "another".to_owned()))).await
        }),
        check!("an error beside a code is an error", ["CB-06"], |target| {
            spoilt(target, |pairs| pairs.push(("error".to_owned(), "access_denied".to_owned()))).await
        }),
        check!("another code is refused by the server", ["CB-09", "TK-11"], |target| {
            spoilt(target, |pairs| {
                pairs.retain(|(name, _)| name != "code");
                pairs.push(("code".to_owned(), "another".to_owned()));
            })
            .await
        }),
    ]
}
