//! Standalone launch of each kind of client (SMART App Launch 2.2, app launch).

use super::check;
use super::steps::{app, begun, login, parameter};
use crate::check::{Check, Outcome, Stop, Suite, ensure};
use crate::target::{Registration, Target};
use smart_on_fhir::FhirSession as _;

async fn launch_and_read(target: &dyn Target, registration: Registration) -> Outcome {
    let session = login(target, app(target, registration)?, &target.scopes()).await?;
    ensure(session.expires_at()?.is_some(), "the token has no end")?;
    if !target.has_fhir_data() {
        return Ok(());
    }
    let id = session.patient()?;
    let patient: serde_json::Value = session.fhir().read("Patient", &id).await?;
    ensure(patient.get("id").and_then(serde_json::Value::as_str) == Some(id.as_str()), "another patient came")
}

pub(super) fn public() -> Suite {
    let mut checks = vec![
        check!("a login brings a token, and the token the patient", ["TK-01", "TK-02", "TK-03", "CX-01"], |target| {
            launch_and_read(target, Registration::Public).await
        }),
        check!("the request has what it needs, each once", ["AZ-01", "AZ-02", "AZ-07", "LA-04", "PK-01"], |target| {
            let (_, request, _) = begun(target, app(target, Registration::Public)?, &target.scopes()).await?;
            let url = request.url();
            ensure(parameter(&url, "response_type")? == "code", "no code is asked for")?;
            ensure(parameter(&url, "code_challenge_method")? == "S256", "the challenge is not S256")?;
            ensure(parameter(&url, "code_challenge")?.len() == 43, "the challenge has another length")?;
            ensure(parameter(&url, "aud")? == target.fhir_base(), "aud is not the FHIR base as given")?;
            ensure(parameter(&url, "state")?.len() >= 22, "the state is short")?;
            ensure(parameter(&url, "launch").is_err(), "a standalone launch has no launch parameter")
        }),
        check!("two logins have nothing in common", ["LA-05", "ST-01", "PK-06", "AZ-10"], |target| {
            let app = app(target, Registration::Public)?;
            let (_, one, _) = begun(target, app.clone(), &target.scopes()).await?;
            let (_, other, _) = begun(target, app, &target.scopes()).await?;
            for name in ["state", "nonce", "code_challenge"] {
                let values = (parameter(&one.url(), name)?, parameter(&other.url(), name)?);
                ensure(values.0 != values.1, format!("{name} is the same twice"))?;
            }
            Ok(())
        }),
        check!("logins that overlap do not disturb each other", ["ST-07", "CB-04"], |target| {
            let app = app(target, Registration::Public)?;
            let (client, one, first) = begun(target, app, &target.scopes()).await?;
            let launch = client.standalone(&target.fhir_base()).await?;
            let redirect_uri = smart_core::redirect_uri::RedirectUri::parse(&target.redirect_uri())?;
            let (other, second) = launch.authorize(&redirect_uri)?;
            let first_callback = target.browse(&one.url()).await?;
            let second_callback = target.browse(&other.url()).await?;
            client.complete(second, second_callback.as_str()).await?;
            client.complete(first, first_callback.as_str()).await?;
            Ok(())
        }),
    ];
    checks.push(code_is_good_once());
    Suite { name: "standalone-public", about: "A person's app without credentials logs in.", checks }
}

/// The code of a login that went wrong is not tried again.
fn code_is_good_once() -> Check {
    check!("a callback is good for one login", ["CB-09", "ST-04"], |target| {
        if !target.knows_its_codes() {
            return Err(Stop::skipped("this server keeps no record of its codes"));
        }
        let (client, request, pending) = begun(target, app(target, Registration::Public)?, &target.scopes()).await?;
        let copy: smart_core::authorize::PendingAuthorization =
            serde_json::from_str(&serde_json::to_string(&pending)?)?;
        let callback = target.browse(&request.url()).await?;
        client.complete(pending, callback.as_str()).await?;
        ensure(client.complete(copy, callback.as_str()).await.is_err(), "the code was taken twice")
    })
}

pub(super) fn symmetric() -> Suite {
    Suite {
        name: "standalone-symmetric",
        about: "A person's app with a secret logs in.",
        checks: vec![
            check!("a login brings a token, and the token the patient", ["CS-01", "TK-04"], |target| {
                launch_and_read(target, Registration::Symmetric).await
            }),
            check!("a wrong secret is refused", ["CS-02", "TK-11"], |target| {
                let right = app(target, Registration::Symmetric)?;
                let secret = smart_core::secret::ClientSecret::new("not-the-secret");
                let wrong = smart_flows::App::symmetric(right.client_id().clone(), secret);
                match login(target, wrong, &target.scopes()).await {
                    Err(Stop::Failed(_)) => Ok(()),
                    Err(skipped) => Err(skipped),
                    Ok(_) => Err(Stop::failed("it was taken")),
                }
            }),
        ],
    }
}

pub(super) fn asymmetric() -> Suite {
    Suite {
        name: "standalone-asymmetric",
        about: "A person's app with a key logs in.",
        checks: vec![
            check!("a login brings a token, and the token the patient", ["CA-01", "CA-04", "CA-08"], |target| {
                launch_and_read(target, Registration::Asymmetric).await
            }),
            check!("another key is refused", ["CA-19", "TK-11"], |target| {
                let right = app(target, Registration::Asymmetric)?;
                let key = smart_jwt::SigningKey::generate(smart_jwt::KeyKind::EcP384)?;
                let wrong = smart_flows::App::asymmetric(right.client_id().clone(), key);
                match login(target, wrong, &target.scopes()).await {
                    Err(Stop::Failed(_)) => Ok(()),
                    Err(skipped) => Err(skipped),
                    Ok(_) => Err(Stop::failed("it was taken")),
                }
            }),
        ],
    }
}
