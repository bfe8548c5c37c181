//! Validating the ID token of a login: keys are found by way of the issuer that discovery named, and nothing is ever
//! skipped (defect of others: no keys found, so no check made).

use crate::client::Inner;
use crate::error::Error;
use crate::record::SessionUser;
use http::StatusCode;
use serde_json::Value;
use smart_core::context::FhirUser;
use smart_core::discovery::{Discovered, openid_configuration_request};
use smart_core::issuer::Issuer;
use smart_core::json::parse_object;
use smart_core::token::{ExpectedToken, TokenResponse};
use smart_http::{HttpClient, RedirectPolicy};
use smart_jwt::{IdToken, IdTokenValidator, Jwks, SigningAlgorithm};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// How many issuers' keys are remembered.
const MAX_ISSUERS: usize = 100;

/// The keys of issuers, as last fetched.
#[derive(Default)]
pub(crate) struct IdTokens(Mutex<HashMap<Issuer, Arc<IssuerKeys>>>);

struct IssuerKeys {
    keys: Jwks,
    algorithms: Vec<SigningAlgorithm>,
}

impl IdTokens {
    /// Validates the ID token of a token response. `None`: there is none.
    pub(crate) async fn validate(
        &self,
        client: &Inner,
        server: &Discovered,
        expected: &ExpectedToken,
        token: &TokenResponse,
    ) -> Result<Option<SessionUser>, Error> {
        let Some(raw) = &token.id_token else { return Ok(None) };
        let base = &expected.server().fhir_base;
        let issuer = expected.server().issuer.clone().ok_or_else(|| Error::IssuerDocuments {
            issuer: base.to_string(),
            reason: "its discovery document names no issuer".to_owned(),
        })?;
        let mut keys = self.keys(client, server, &issuer, false).await?;
        let check = |keys: &IssuerKeys| {
            let mut validator =
                IdTokenValidator::new(issuer.clone(), expected.client_id().clone()).with_algorithms(&keys.algorithms);
            if let Some(nonce) = expected.nonce() {
                validator = validator.with_nonce(nonce.clone());
            }
            validator.validate(raw, &keys.keys, client.clock.now(), Some(&token.access_token))
        };
        let mut verdict = check(&keys);
        if verdict.as_ref().is_err_and(smart_jwt::IdTokenError::needs_refetch) {
            keys = self.keys(client, server, &issuer, true).await?;
            verdict = check(&keys);
        }
        let id_token = verdict.map_err(|source| Error::IdToken { issuer: issuer.as_str().to_owned(), source })?;
        Ok(Some(user(&id_token, base)?))
    }

    async fn keys(
        &self,
        client: &Inner,
        server: &Discovered,
        issuer: &Issuer,
        fresh: bool,
    ) -> Result<Arc<IssuerKeys>, Error> {
        if !fresh && let Some(keys) = self.remembered(issuer) {
            return Ok(keys);
        }
        let fetched = Arc::new(fetch(client, server, issuer).await?);
        let mut issuers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if issuers.len() >= MAX_ISSUERS {
            issuers.clear();
        }
        issuers.insert(issuer.clone(), fetched.clone());
        Ok(fetched)
    }

    fn remembered(&self, issuer: &Issuer) -> Option<Arc<IssuerKeys>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(issuer).cloned()
    }
}

fn user(id_token: &IdToken, base: &smart_core::fhir_base::FhirBaseUrl) -> Result<SessionUser, Error> {
    let fhir_user = match id_token.fhir_user() {
        Some(claim) => Some(FhirUser::resolve(base, claim).map_err(smart_core::error::Error::from)?),
        None => None,
    };
    Ok(SessionUser {
        issuer: id_token.issuer().to_owned(),
        subject: id_token.subject().to_owned(),
        algorithm: id_token.algorithm().as_str().to_owned(),
        fhir_user,
    })
}

/// Reads the OpenID configuration and the keys. The smart-configuration may name the keys as well; it stands in where
/// the issuer has no OpenID configuration.
async fn fetch(client: &Inner, server: &Discovered, issuer: &Issuer) -> Result<IssuerKeys, Error> {
    let unusable = |reason: String| Error::IssuerDocuments { issuer: issuer.as_str().to_owned(), reason };
    let request = openid_configuration_request(issuer)?;
    let response = client.documents.fetch_following(request, RedirectPolicy::same_origin()).await?;
    let (jwks_uri, algorithms) = if response.status() == StatusCode::OK {
        let document =
            parse_object(response.body()).map_err(|e| unusable(format!("its OpenID configuration is {e}")))?;
        // OpenID Connect Discovery 4.3: a document of another issuer's is nobody's.
        if document.get("issuer").and_then(Value::as_str) != Some(issuer.as_str()) {
            return Err(unusable("its OpenID configuration is of another issuer".to_owned()));
        }
        let listed = document.get("id_token_signing_alg_values_supported").and_then(Value::as_array);
        let named = document.get("jwks_uri").and_then(Value::as_str).map(|uri| client.discovery.url_policy.parse(uri));
        (named.transpose()?, algorithms(listed))
    } else {
        (server.configuration.jwks_uri.clone(), algorithms(None))
    };
    let jwks_uri = jwks_uri.or_else(|| server.configuration.jwks_uri.clone()).ok_or_else(|| {
        unusable("neither its OpenID configuration nor the discovery document names its keys".to_owned())
    })?;
    Ok(IssuerKeys { keys: fetch_keys(client, &jwks_uri).await?, algorithms })
}

async fn fetch_keys(client: &Inner, jwks_uri: &Url) -> Result<Jwks, Error> {
    let unusable = |reason: String| Error::IssuerDocuments { issuer: jwks_uri.to_string(), reason };
    let request = HttpClient::get_request(jwks_uri, "application/json")?;
    let response = client.documents.fetch_following(request, RedirectPolicy::same_origin()).await?;
    if response.status() != StatusCode::OK {
        return Err(unusable(format!("its keys came with status {}", response.status().as_u16())));
    }
    Jwks::parse(response.body()).map_err(|e| unusable(e.to_string()))
}

/// RS256 always, and what the issuer announces of the others that are safe.
fn algorithms(listed: Option<&Vec<Value>>) -> Vec<SigningAlgorithm> {
    let mut algorithms = vec![SigningAlgorithm::Rs256];
    for name in listed.into_iter().flatten().filter_map(Value::as_str) {
        if let Ok(algorithm) = name.parse()
            && !algorithms.contains(&algorithm)
        {
            algorithms.push(algorithm);
        }
    }
    algorithms
}
