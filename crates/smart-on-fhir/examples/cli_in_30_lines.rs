//! A command that shows how a patient's weight went: `cli_in_30_lines FHIR_BASE CLIENT_ID`; without arguments a sandbox's.
use serde_json::Value;
use smart_on_fhir::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let sandbox = smart_sandbox::Sandbox::start(smart_sandbox::SandboxConfig::default()).await?;
    let server = arguments.next().unwrap_or_else(|| sandbox.fhir_base());
    let client_id = arguments.next().unwrap_or_else(|| "demo-app".to_owned());

    let app =
        App::public(client_id).scopes("launch/patient openid fhirUser patient/Patient.r patient/Observation.rs")?;
    let smart = SmartClient::builder(app).allow_loopback_http().build();
    let session = smart.standalone(&server).await?.open_browser().await?;

    let text =
        |of: &Value, path: &str| of.pointer(path).map_or_else(|| "?".to_owned(), |v| v.to_string().replace('"', ""));
    let patient: Value = session.fhir().read("Patient", &session.patient()?).await?;
    println!("{}, born {}", text(&patient, "/name/0/family"), text(&patient, "/birthDate"));
    let query = SearchQuery::new("Observation").param("patient", session.patient()?.as_str());
    let mut weights = session.fhir().search(query.token("code", "http://loinc.org", "29463-7").sort(["date"]));
    while let Some(weight) = weights.try_next().await? {
        let [date, value, unit] =
            ["/effectiveDateTime", "/valueQuantity/value", "/valueQuantity/unit"].map(|path| text(&weight, path));
        println!("{date}  {value} {unit}");
    }
    session.logout().await;
    Ok(())
}
