//! What many checks begin with.

use crate::check::Stop;
use crate::target::{Registration, Target};
use smart_core::authorize::{AuthorizationRequest, PendingAuthorization};
use smart_core::discovery::Discovered;
use smart_core::redirect_uri::RedirectUri;
use smart_flows::{App, Session, SmartClient};
use url::Url;

/// An app that is registered so, or the end of the check.
pub(super) fn app(target: &dyn Target, registration: Registration) -> Result<App, Stop> {
    target.app(registration).ok_or_else(|| Stop::skipped(format!("no app is registered here as {registration:?}")))
}

/// Any app of a person.
pub(super) fn any_app(target: &dyn Target) -> Result<App, Stop> {
    [Registration::Public, Registration::Symmetric, Registration::Asymmetric]
        .into_iter()
        .find_map(|registration| target.app(registration))
        .ok_or_else(|| Stop::skipped("no app of a person is registered here"))
}

/// What the server says of itself.
pub(super) async fn discovered(target: &dyn Target) -> Result<Discovered, Stop> {
    let app = any_app(target).or_else(|_| app(target, Registration::Backend))?;
    Ok(target.client(app).discover(&target.fhir_base()).await?)
}

/// The two halves of a standalone launch, and the client that began it.
pub(super) async fn begun(
    target: &dyn Target,
    app: App,
    scopes: &str,
) -> Result<(SmartClient, AuthorizationRequest, PendingAuthorization), Stop> {
    let client = target.client(app.scopes(scopes)?);
    let launch = client.standalone(&target.fhir_base()).await?;
    let (request, pending) = launch.authorize(&RedirectUri::parse(&target.redirect_uri())?)?;
    Ok((client, request, pending))
}

/// A whole standalone launch.
pub(super) async fn login(target: &dyn Target, app: App, scopes: &str) -> Result<Session, Stop> {
    let (client, request, pending) = begun(target, app, scopes).await?;
    let callback = target.browse(&request.url()).await?;
    Ok(client.complete(pending, callback.as_str()).await?)
}

/// A whole standalone launch with all scopes of an app that wants all.
pub(super) async fn session(target: &dyn Target) -> Result<Session, Stop> {
    login(target, any_app(target)?, &target.scopes()).await
}

/// The value of a parameter of a URL's query, which is there once.
pub(super) fn parameter(url: &Url, name: &str) -> Result<String, Stop> {
    let mut values = url.query_pairs().filter(|(other, _)| other == name).map(|(_, value)| value.into_owned());
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (None, _) => Err(Stop::failed(format!("the request has no {name}"))),
        (Some(_), Some(_)) => Err(Stop::failed(format!("the request has {name} twice"))),
    }
}
