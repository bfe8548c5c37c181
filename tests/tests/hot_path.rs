//! What asking for a token that is fresh costs.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use smart_flows::{App, Error, Session, SessionPolicy, SmartClient};
use smart_http::{Authorize as _, HttpClient, HyperTransport};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Sandbox, SandboxConfig};

async fn login(policy: SessionPolicy) -> (Sandbox, Session) {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let app = App::public("demo-app").scopes("launch/patient offline_access patient/*.rs").unwrap();
    let client = SmartClient::builder(app).allow_loopback_http().session_policy(policy).build();
    let browser = AutoBrowser::new(HttpClient::new(HyperTransport::new()), Person::default());
    let launch = client.standalone(&sandbox.fhir_base()).await.unwrap();
    let browse = |url| async move { browser.browse(&url).await.map_err(|e| Error::Browser(e.to_string())) };
    let session = launch.with_browser(browse).await.unwrap();
    (sandbox, session)
}

/// F-66 (hot path): a fresh token is given without an allocation, with the limits of a session looked at or not; a header costs the
/// one of its boxed future.
#[test]
fn fresh_token_costs_no_allocation() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for policy in [SessionPolicy::none(), SessionPolicy::standard()] {
        let (_sandbox, session) = runtime.block_on(login(policy));
        let url = session.fhir_base().join("Patient/p1001").unwrap();
        runtime.block_on(async {
            session.access_token().await.unwrap();
            session.authorization(&url).await.unwrap();
        });
        let counted =
            |what: &mut dyn FnMut()| allocation_counter::measure(|| (0..1000).for_each(|_| what())).count_total;
        let entered = counted(&mut || runtime.block_on(async {}));
        let asked = counted(&mut || runtime.block_on(async { drop(session.access_token().await.unwrap()) }));
        assert_eq!(asked, entered, "{policy:?}");
        let headers = counted(&mut || runtime.block_on(async { drop(session.authorization(&url).await.unwrap()) }));
        assert_eq!(headers, entered + 1000, "{policy:?}");
    }
}
