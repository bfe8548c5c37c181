//! A signing service, as far as the example needs one. It makes a key when it starts, and never gives it out.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use smart_on_fhir::jwt::{KeyKind, SigningKey};
use std::error::Error as StdError;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::TcpListener;

struct Kms {
    key: SigningKey,
    authorization: String,
}

/// Serves until its input ends. The input's first line is the password; the output's first line tells where it is.
pub(crate) async fn run() -> Result<(), Box<dyn StdError>> {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut password = String::new();
    input.read_line(&mut password).await?;
    let key = SigningKey::generate(KeyKind::EcP384)?.with_kid("kms-2026-11")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let endpoint = format!("http://{}/sign", listener.local_addr()?);
    println!("{}", json!({"endpoint": endpoint, "key": key.public_jwk().to_json()}));
    let kms = Arc::new(Kms { key, authorization: format!("Bearer {}", password.trim_end()) });
    let app = Router::new().route("/sign", post(sign)).with_state(kms);
    tokio::select! {
        served = axum::serve(listener, app) => Ok(served?),
        // Whoever started it is gone.
        ended = input.read_u8() => { drop(ended); Ok(()) }
    }
}

async fn sign(State(kms): State<Arc<Kms>>, headers: HeaderMap, input: Bytes) -> Result<Vec<u8>, StatusCode> {
    if headers.get(AUTHORIZATION).is_none_or(|given| *given != kms.authorization) {
        return Err(StatusCode::FORBIDDEN);
    }
    let raw = kms.key.sign(&input).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(der(&raw))
}

/// Both integers of an ECDSA signature in DER (RFC 3279, section 2.2.3), as key services give them.
fn der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    let integers = [integer(r), integer(s)].concat();
    element(0x30, &integers)
}

fn integer(octets: &[u8]) -> Vec<u8> {
    let start = octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len());
    let significant = octets.get(start..).unwrap_or_default();
    // The first bit is the sign, and the number is positive.
    let sign: &[u8] = if significant.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    element(0x02, &[sign, significant].concat())
}

/// An element of fewer than 128 octets, as all of a P-384 signature are.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    [&[tag, length], content].concat()
}
