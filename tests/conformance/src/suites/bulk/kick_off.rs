//! How an export is asked for.

use super::steps::{begun, bulk, manifest, manifests, request, special, understood};
use crate::check::{Check, Outcome, Stop, ensure};
use crate::suites::check;
use crate::target::Target;
use http::StatusCode;
use smart_core::url_policy::{is_loopback, same_origin};
use smart_fhir::bulk::{BulkError, ExportRequest, FhirInstant, KickOffMethod, OutputFormat};
use smart_sandbox::BulkMode;
use url::Url;

/// An export by POST, where the server takes that.
async fn by_post(target: &dyn Target) -> Outcome {
    let (bulk, support) = bulk(target).await?;
    let started = bulk.start(request(support)?.method(KickOffMethod::Post).types(["Patient"])).await;
    let job = match started {
        Ok(job) => job,
        Err(BulkError::NotStarted(refusal)) if refusal.status() == StatusCode::METHOD_NOT_ALLOWED.as_u16() => {
            return Err(Stop::skipped("this server takes no kick-off by POST"));
        }
        Err(error) => return Err(error.into()),
    };
    let types: Vec<String> =
        manifest(&job).await?.output().filter_map(|file| Some(file.resource_type.as_ref()?.to_string())).collect();
    ensure(types.iter().all(|name| name == "Patient"), format!("other types came: {types:?}"))
}

/// An export of a type, with a filter that has every sign that could be encoded once too often.
async fn filtered(target: &dyn Target) -> Outcome {
    const FILTER: &str = "Observation?code=http://loinc.org|8867-4,8310-5&date=ge2020-01-01T00:00:00+01:00";
    let (bulk, support) = bulk(target).await?;
    let job = match bulk.start(request(support)?.types(["Observation"]).type_filter(FILTER)).await {
        Ok(job) => job,
        Err(BulkError::NotStarted(refusal)) => return Err(Stop::skipped(format!("filters are refused: {refusal}"))),
        Err(error) => return Err(error.into()),
    };
    let understood = understood(&manifest(&job).await?, "_typeFilter");
    let Some(understood) = understood else { return Err(Stop::skipped("the manifest does not repeat the request")) };
    ensure(understood == [FILTER], format!("the server read {understood:?}"))
}

pub(super) fn checks() -> Vec<Check> {
    vec![
        check!("the answer to a kick-off says where the status is", ["BK-03", "BK-15"], |target| {
            let job = begun(target).await?;
            let status = &job.record().status_url;
            let safe = status.scheme() == "https" || is_loopback(status);
            ensure(safe, format!("the status is {}", status.scheme()))?;
            let base = Url::parse(&target.fhir_base())?;
            // The token goes there, or it could not be asked for.
            ensure(same_origin(status, &base), "the status is at another origin")
        }),
        check!("each level that is offered can be exported", ["BK-01", "BK-48"], |target| {
            let (bulk, support) = bulk(target).await?;
            let levels =
                [(support.system, ExportRequest::system()), (support.patient, ExportRequest::patients_of_all())];
            for (_, request) in levels.into_iter().filter(|(offered, _)| *offered) {
                let job = bulk.start(request.types(["Patient"])).await?;
                manifests(&job).await?;
            }
            Ok(())
        }),
        check!("a group that was found is exported", ["BK-01", "BK-48"], |target| {
            let (bulk, support) = bulk(target).await?;
            if !support.group {
                return Err(Stop::skipped("this server exports no groups"));
            }
            let Some(group) = bulk.groups().await?.into_iter().next() else {
                return Err(Stop::skipped("there is no group"));
            };
            let manifest = manifest(&bulk.start(ExportRequest::group(group.id.clone())).await?).await?;
            ensure(
                manifest.request.is_none_or(|request| request.contains(&format!("Group/{}/$export", group.id))),
                "another group was exported",
            )
        }),
        check!("a kick-off by POST asks for the same", ["BK-02"], |target| { by_post(target).await }),
        check!("types that were asked for come, and no others", ["BK-06", "BK-08"], |target| {
            let (bulk, support) = bulk(target).await?;
            let request = request(support)?.types(["Patient", "Observation"]).output_format(OutputFormat::FhirNdjson);
            let job = bulk.start(request).await?;
            let manifest = manifest(&job).await?;
            let types: Vec<String> =
                manifest.output().filter_map(|file| Some(file.resource_type.as_ref()?.to_string())).collect();
            ensure(!types.is_empty(), "nothing came")?;
            ensure(types.iter().all(|name| name == "Patient" || name == "Observation"), format!("{types:?} came"))?;
            ensure(
                understood(&manifest, "_type").is_none_or(|types| types == ["Patient,Observation"]),
                "the server read other types",
            )?;
            ensure(
                understood(&manifest, "_outputFormat").is_none_or(|read| read == ["application/fhir+ndjson"]),
                "the server read another format",
            )
        }),
        check!("a filter is read as it was written", ["BK-09"], |target| { filtered(target).await }),
        check!("the next export begins at the server's time of the last", ["BK-07", "BK-31"], |target| {
            let (bulk, support) = bulk(target).await?;
            let first = manifest(&bulk.start(request(support)?).await?).await?;
            let since = first.transaction_time;
            let time = |instant: &FhirInstant| instant.as_str().parse::<jiff::Timestamp>();
            let second = manifest(&bulk.start(request(support)?.since(since.clone())).await?).await?;
            ensure(time(&second.transaction_time)? >= time(&since)?, "the server's time went back")?;
            ensure(
                understood(&second, "_since").is_none_or(|read| read == [since.as_str()]),
                "the server read another time",
            )
        }),
        check!("a kick-off that is refused says why", ["BK-16"], |target| {
            let (bulk, support) = bulk(target).await?;
            if !support.group {
                return Err(Stop::skipped("this server exports no groups"));
            }
            match bulk.start(ExportRequest::group("none")).await {
                Err(BulkError::NotStarted(refusal)) => {
                    ensure(refusal.status() == StatusCode::NOT_FOUND.as_u16(), format!("it is {}", refusal.status()))
                }
                Err(error) => Err(error.into()),
                Ok(_) => Err(Stop::failed("a group that is not there was exported")),
            }
        }),
        check!("a server that is asked too often is waited for", ["BK-17", "BK-22", "BK-47"], |target| {
            let other = special(target, &[BulkMode::Throttled]).await?;
            let job = begun(&*other).await?;
            let manifests = manifests(&job).await?;
            super::files::count(&job, &manifests).await.map(|_| ())
        }),
    ]
}
