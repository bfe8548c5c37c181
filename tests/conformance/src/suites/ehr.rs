//! EHR launch (SMART App Launch 2.2, app launch).

use super::check;
use super::steps::{any_app, parameter};
use crate::check::{Stop, Suite, ensure};
use crate::target::{EhrStart, Target};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::{AllowedIssuers, EhrLaunch};
use smart_core::redirect_uri::RedirectUri;
use smart_core::url_policy::UrlPolicy;

fn start(target: &dyn Target) -> Result<EhrStart, Stop> {
    target.ehr_start().ok_or_else(|| Stop::skipped("no EHR opens the app here"))
}

fn allowed(base: &str) -> Result<AllowedIssuers, Stop> {
    Ok(AllowedIssuers::only([FhirBaseUrl::parse_with(base, UrlPolicy::AllowLoopbackHttp)?]))
}

pub(super) fn suite() -> Suite {
    Suite {
        name: "ehr-launch",
        about: "An EHR opens the app with the patient who is open there.",
        checks: vec![
            check!("the patient of the EHR is the patient of the session", ["LA-01", "LA-02", "CX-01"], |target| {
                let start = start(target)?;
                let launch = EhrLaunch::from_query(&start.query(), &allowed(&start.fhir_base)?)?;
                let client = target.client(any_app(target)?.scopes("launch openid fhirUser patient/*.rs")?);
                let (request, pending) = client.ehr(&launch, &RedirectUri::parse(&target.redirect_uri())?).await?;
                ensure(parameter(&request.url(), "launch")? == start.launch, "launch is not as it came")?;
                let callback = target.browse(&request.url()).await?;
                let session = client.complete(pending, callback.as_str()).await?;
                let patient = session.patient()?;
                ensure(start.patient.is_none_or(|open| open == patient), "another patient is open")
            }),
            check!("a server that is not listed may not launch", ["LA-03"], |target| {
                let start = start(target)?;
                let refused = EhrLaunch::from_query(&start.query(), &allowed("https://another.example/fhir")?);
                ensure(refused.is_err(), "it was taken")
            }),
            check!("iss and launch are there once, and not empty", ["LA-01"], |target| {
                let start = start(target)?;
                let allowed = allowed(&start.fhir_base)?;
                let doubled = format!("{}&launch=another", start.query());
                let emptied = start.query().split("launch=").next().unwrap_or_default().to_owned() + "launch=";
                for query in [doubled, emptied, "launch=x".to_owned(), String::new()] {
                    ensure(EhrLaunch::from_query(&query, &allowed).is_err(), "a launch without them was taken")?;
                }
                Ok(())
            }),
        ],
    }
}
