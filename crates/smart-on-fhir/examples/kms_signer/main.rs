//! A backend service whose private key never is in its process: a signing service keeps it, and signs what it is asked to.
//!
//! ```sh
//! cargo run -p smart-on-fhir --example kms_signer
//! ```
//!
//! The signing service is a pretended one, in a process of its own on this machine, and the FHIR server is an embedded sandbox.
//! [`KmsSigner`](signer::KmsSigner) is what you write for the key management service or HSM that you have.

mod pretended_kms;
mod signer;

use serde_json::Value;
use signer::KmsSigner;
use smart_on_fhir::core::random::random_token;
use smart_on_fhir::flows::SystemRandom;
use smart_on_fhir::jwt::{Jwk, Jwks, Signer as _, SigningAlgorithm, check_signer};
use smart_on_fhir::prelude::*;
use smart_sandbox::{Client, ClientKeys, Sandbox, SandboxConfig};
use std::error::Error as StdError;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// The argument by which this program starts itself as the signing service.
const KMS: &str = "--pretend-kms";

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    if std::env::args().any(|argument| argument == KMS) {
        return pretended_kms::run().await;
    }
    let (mut kms, signer) = start_kms().await?;
    // One signature at the start: a wrong key or form of signature shows now, and not at the first token request.
    check_signer(&signer).await?;
    println!("The key {} is kept by another process ({}).", signer.key_id(), kms.id().unwrap_or_default());

    let keys = Jwks::from_keys(vec![signer.public_jwk().clone()])?.to_json().to_string();
    let clients = vec![Client::asymmetric("kms-service", ClientKeys::Document(keys))];
    let sandbox = Sandbox::start(SandboxConfig { clients, ..SandboxConfig::default() }).await?;

    let smart = SmartClient::builder(App::backend("kms-service", signer)).allow_loopback_http().build();
    let session = smart.backend(&sandbox.fhir_base(), "system/Patient.rs").await?;
    println!("Granted: {}", session.granted_scopes()?);
    let patients = session.fhir().search(SearchQuery::new("Patient")).collect_all().await?;
    println!("{} patients can be read.", patients.len());
    session.logout().await;
    // It ends by itself with this process, too.
    kms.kill().await?;
    Ok(())
}

/// Starts the signing service, and gives what signs with it.
async fn start_kms() -> Result<(Child, KmsSigner), Box<dyn StdError>> {
    let mut kms = Command::new(std::env::current_exe()?)
        .arg(KMS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    // Who else is on this machine can reach the port as well: the password lets this process alone sign.
    let password = random_token::<32>(&SystemRandom::new())?;
    let stdin = kms.stdin.as_mut().ok_or("the signing service has no input")?;
    stdin.write_all(format!("{password}\n").as_bytes()).await?;
    let stdout = kms.stdout.take().ok_or("the signing service has no output")?;
    let line = BufReader::new(stdout).lines().next_line().await?.ok_or("the signing service did not start")?;
    let said: Value = serde_json::from_str(&line)?;
    let public = said.get("key").and_then(Value::as_object).ok_or("the signing service told no key")?;
    let endpoint = said.get("endpoint").and_then(Value::as_str).ok_or("the signing service told no endpoint")?;
    let signer = KmsSigner::new(endpoint, &password, Jwk::from_members(public)?, SigningAlgorithm::Es384)?;
    Ok((kms, signer))
}
