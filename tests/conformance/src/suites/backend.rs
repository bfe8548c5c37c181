//! Backend services (SMART App Launch 2.2, backend services).

use super::check;
use super::steps::app;
use crate::check::{Stop, Suite, ensure};
use crate::target::{Registration, Target};
use smart_flows::{App, Session};
use smart_on_fhir::FhirSession as _;
use std::time::Duration;

async fn begin(target: &dyn Target, app: App) -> Result<Session, Stop> {
    Ok(target.client(app).backend(&target.fhir_base(), &target.backend_scopes()).await?)
}

pub(super) fn suite() -> Suite {
    Suite {
        name: "backend-services",
        about: "A service without a person gets a token by its key.",
        checks: vec![
            check!("an assertion brings a token, and the token data", ["BS-01", "BS-02", "CA-02", "CA-05"], |target| {
                let session = begin(target, app(target, Registration::Backend)?).await?;
                ensure(session.is_backend() && session.expires_at()?.is_some(), "the token has no end")?;
                if target.has_fhir_data() {
                    let found = session.fhir().search(smart_fhir::SearchQuery::new("Patient").count(1)).max_pages(1);
                    let mut entries = found.max_entries(1);
                    let _ = entries.try_next().await?;
                }
                Ok(())
            }),
            check!("what was granted is seen", ["BS-07", "SC-17"], |target| {
                let session = begin(target, app(target, Registration::Backend)?).await?;
                ensure(!session.granted_scopes()?.to_string().is_empty(), "nothing was granted")
            }),
            check!("one token serves all who ask for the same", ["BS-05"], |target| {
                let client = target.client(app(target, Registration::Backend)?);
                let one = client.backend(&target.fhir_base(), &target.backend_scopes()).await?;
                let other = client.backend(&target.fhir_base(), &target.backend_scopes()).await?;
                ensure(one.access_token().await? == other.access_token().await?, "there are two")
            }),
            check!("another assertion brings another token", ["CA-06", "RF-12"], |target| {
                let session = begin(target, app(target, Registration::Backend)?).await?;
                let before = session.access_token().await?;
                // Some servers' tokens are signed texts that differ by their second alone.
                tokio::time::sleep(Duration::from_millis(1100)).await;
                session.refresh().await?;
                ensure(session.access_token().await? != before, "it is the same")
            }),
            check!("another key is refused", ["CA-19"], |target| {
                let right = app(target, Registration::Backend)?;
                let key = smart_jwt::SigningKey::generate(smart_jwt::KeyKind::EcP384)?;
                let wrong = App::backend(right.client_id().clone(), key);
                ensure(begin(target, wrong).await.is_err(), "it was taken")
            }),
        ],
    }
}
