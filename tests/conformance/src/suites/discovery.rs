//! Discovery (SMART App Launch 2.2, conformance).

use super::check;
use super::steps::discovered;
use crate::check::{Stop, Suite, ensure};
use crate::target::Target;
use smart_core::discovery::{Discovered, Flow, GatePolicy, Severity, SmartConfiguration};
use url::Url;

fn endpoints(configuration: &SmartConfiguration) -> Vec<&Url> {
    let optional = [
        &configuration.authorization_endpoint,
        &configuration.introspection_endpoint,
        &configuration.revocation_endpoint,
        &configuration.registration_endpoint,
        &configuration.jwks_uri,
    ];
    optional.into_iter().flatten().chain([&configuration.token_endpoint]).collect()
}

async fn configuration(target: &dyn Target) -> Result<SmartConfiguration, Stop> {
    Ok(discovered(target).await?.configuration)
}

/// What a server has to say of its capabilities, so that a flow begins.
fn gate(discovered: &Discovered, flow: Flow) -> Result<(), Stop> {
    let findings = discovered.gate(flow, GatePolicy::default())?;
    let told: Vec<String> = findings.iter().map(|finding| finding.message.clone()).collect();
    ensure(told.is_empty(), told.join("; "))
}

pub(super) fn suite() -> Suite {
    Suite {
        name: "discovery",
        about: "The server's documents are found, read and agree with each other.",
        checks: vec![
            check!("the document is found below the FHIR base", ["DI-01", "DI-02", "DI-03"], |target| {
                discovered(target).await.map(|_| ())
            }),
            check!("nothing in it breaks a rule", ["DI-04", "DI-05"], |target| {
                let report = discovered(target).await?.report;
                let grave: Vec<String> =
                    report.at_least(Severity::Error).map(|finding| finding.message.clone()).collect();
                ensure(grave.is_empty(), grave.join("; "))
            }),
            check!("PKCE by S256 is offered, plain is not", ["DI-12", "PK-02"], |target| {
                let methods = configuration(target).await?.code_challenge_methods_supported.unwrap_or_default();
                ensure(methods.iter().any(|method| method == "S256"), "S256 is not in the list")?;
                ensure(!methods.iter().any(|method| method == "plain"), "plain is in the list")
            }),
            check!("every endpoint is https, or on this machine", ["DI-13", "SE-02"], |target| {
                for url in endpoints(&configuration(target).await?) {
                    let loopback = smart_core::url_policy::is_loopback(url);
                    ensure(url.scheme() == "https" || loopback, format!("{} is {}", url.path(), url.scheme()))?;
                }
                Ok(())
            }),
            check!("a person's app can be launched standalone", ["DI-10", "DI-11"], |target| {
                gate(&discovered(target).await?, Flow::StandaloneLaunch)
            }),
            check!("the issuer's own document names the same issuer and keys", ["DI-21", "DI-22", "ID-03"], |target| {
                let configuration = configuration(target).await?;
                let Some(issuer) = configuration.issuer else { return Err(Stop::skipped("it names no issuer")) };
                let url = format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/'));
                let response = target.http().fetch(http::Request::get(url).body(bytes::Bytes::new())?).await?;
                let document: serde_json::Value = serde_json::from_slice(response.body())?;
                let text = |name: &str| document.get(name).and_then(serde_json::Value::as_str);
                ensure(text("issuer") == Some(issuer.as_str()), "the issuer is another")?;
                let keys = configuration.jwks_uri.as_ref().map(Url::as_str);
                ensure(keys.is_none() || text("jwks_uri") == keys, "the keys are elsewhere")
            }),
            check!("the keys can be read", ["ID-13", "ID-27"], |target| {
                let Some(keys) = configuration(target).await?.jwks_uri else {
                    return Err(Stop::skipped("it names no keys"));
                };
                let response =
                    target.http().fetch(http::Request::get(keys.as_str()).body(bytes::Bytes::new())?).await?;
                let set = smart_jwt::Jwks::parse(response.body())?;
                ensure(!set.keys().is_empty(), "there is none that can be used")
            }),
            check!("it is asked for once and remembered", ["DI-16"], |target| {
                let client = target.client(super::steps::any_app(target)?);
                let first = client.discover(&target.fhir_base()).await?;
                let again = client.discover(&target.fhir_base()).await?;
                ensure(first.configuration.token_endpoint == again.configuration.token_endpoint, "it changed")?;
                client.discover_anew(&target.fhir_base()).await?;
                Ok(())
            }),
        ],
    }
}
