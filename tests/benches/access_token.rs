//! The access token on the hot path: what every request to a FHIR server asks for first.

use smart_core::time::Clock as _;
use smart_flows::{App, Error, Session, SmartClient, SystemClock};
use smart_http::{HttpClient, HyperTransport};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Sandbox, SandboxConfig};
use smart_tests::side_by_side::SideBySide;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    let Ok((_sandbox, session)) = runtime.block_on(login()) else { return ExitCode::FAILURE };
    let mut rows = SideBySide::new("access token");
    // 100 ns each.
    let token: Arc<str> = "x".repeat(64).into();
    let least = || {
        black_box(SystemClock.now());
        black_box(token.clone());
    };
    rows.rate("of a session, fresh", Some(1e7), || ask(&session), "a look at the clock and a shared text", least);
    rows.finish()
}

/// Asks once. A fresh token is there without waiting.
fn ask(session: &Session) {
    let mut asking = std::pin::pin!(session.access_token());
    let outcome = asking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(black_box(outcome), Poll::Ready(Ok(_))));
}

async fn login() -> Result<(Sandbox, Session), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start(SandboxConfig::default()).await?;
    let app = App::public("demo-app").scopes("launch/patient openid fhirUser offline_access patient/*.rs")?;
    let client = SmartClient::builder(app).allow_loopback_http().build();
    let browser = AutoBrowser::new(HttpClient::new(HyperTransport::new()), Person::default());
    let launch = client.standalone(&sandbox.fhir_base()).await?;
    let browse = |url| async move { browser.browse(&url).await.map_err(|e| Error::Browser(e.to_string())) };
    let session = launch.with_browser(browse).await?;
    Ok((sandbox, session))
}
