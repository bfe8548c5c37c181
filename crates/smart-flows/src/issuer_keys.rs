//! The keys of issuers: found by way of the issuer that discovery named, cached, and fetched once for however many ask.

use crate::client::Inner;
use crate::error::Error;
use crate::slots::Slots;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use smart_core::discovery::IssuerDocument;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::issuer::Issuer;
use smart_core::time::Timestamp;
use smart_core::url_policy::same_origin;
use smart_http::{HttpClient, RedirectPolicy};
use smart_jwt::{CacheVerdict, Jwks, JwksCache, SigningAlgorithm};
use std::time::Duration;
use url::Url;

/// How many issuers' keys are remembered.
const MAX_ISSUERS: usize = 256;
/// How long an OpenID configuration is believed.
const CONFIGURATION_LIFETIME: Duration = Duration::from_hours(1);

/// The keys of issuers, as last fetched: by the issuer and by what the FHIR server names as its keys, so that what one server
/// says of another's issuer counts for itself alone.
pub(crate) struct IssuerKeyring(Slots<(Issuer, Option<Url>), IssuerState>);

impl Default for IssuerKeyring {
    fn default() -> Self {
        Self(Slots::new(MAX_ISSUERS))
    }
}

#[derive(Default)]
struct IssuerState {
    configuration: Option<(IssuerDocuments, Timestamp)>,
    keys: JwksCache,
}

/// What the OpenID configuration of an issuer says, as far as ID tokens need it.
#[derive(Debug, Clone)]
struct IssuerDocuments {
    jwks_uri: Url,
    userinfo: Option<Url>,
    algorithms: Vec<SigningAlgorithm>,
}

/// The keys to validate a token with.
#[derive(Clone)]
pub(crate) struct IssuerKeys {
    pub(crate) keys: Jwks,
    pub(crate) algorithms: Vec<SigningAlgorithm>,
    pub(crate) userinfo: Option<Url>,
}

/// Where an issuer's keys are looked for.
pub(crate) struct IssuerSource<'a> {
    pub(crate) issuer: &'a Issuer,
    /// The FHIR server that names the issuer.
    pub(crate) fhir_base: &'a FhirBaseUrl,
    /// What its smart-configuration names. It stands in where the issuer has no OpenID configuration.
    pub(crate) jwks_uri: Option<&'a Url>,
}

impl IssuerSource<'_> {
    /// The keys that the FHIR server names, where they are the issuer's own by their place, or it speaks for itself: a server
    /// that names another's issuer and keys of its own could sign anybody in.
    fn own_jwks_uri(&self) -> Option<&Url> {
        let issuer = Url::parse(self.issuer.as_str()).ok()?;
        let is_its_own = |jwks_uri: &&Url| same_origin(&issuer, jwks_uri) || same_origin(&issuer, self.fhir_base.url());
        self.jwks_uri.filter(is_its_own)
    }
}

impl Inner {
    /// The keys of an issuer: as they are known, or fetched. With `unknown_kid` a token named a key that is not among
    /// them; they are fetched again, unless that was done a moment ago (requirement ID-12).
    pub(crate) async fn issuer_keys(&self, source: &IssuerSource<'_>, unknown_kid: bool) -> Result<IssuerKeys, Error> {
        let slot = self.issuer_keyring.0.slot(&(source.issuer.clone(), source.jwks_uri.cloned()));
        let mut state = slot.value.lock().await;
        let now = self.clock.now();
        let verdict = if unknown_kid { state.keys.verdict_for_unknown_kid(now) } else { state.keys.verdict(now) };
        match verdict {
            CacheVerdict::Fresh | CacheVerdict::Stale => {}
            CacheVerdict::Refetch => Box::pin(self.refetch(&mut state, source)).await?,
            // Nothing new can be had: the token is judged with what there is.
            CacheVerdict::TooSoon if state.keys.keys().is_some() => {}
            CacheVerdict::TooSoon => {
                return Err(unusable(source.issuer.as_str(), "its keys could not be fetched a moment ago"));
            }
        }
        match (state.keys.keys(), &state.configuration) {
            (Some(keys), Some((documents, _))) => Ok(IssuerKeys {
                keys: keys.clone(),
                algorithms: documents.algorithms.clone(),
                userinfo: documents.userinfo.clone(),
            }),
            _ => Err(unusable(source.issuer.as_str(), "its keys could not be fetched")),
        }
    }

    async fn refetch(&self, state: &mut IssuerState, source: &IssuerSource<'_>) -> Result<(), Error> {
        let now = self.clock.now();
        let known = state
            .configuration
            .clone()
            .filter(|(_, read)| now >= *read && now < read.saturating_add(CONFIGURATION_LIFETIME));
        let fetched = async {
            let (documents, read) = match known {
                Some(known) => known,
                None => (self.fetch_openid_configuration(source).await?, now),
            };
            let keys = self.fetch_keys(&documents.jwks_uri).await?;
            Ok::<_, Error>(((documents, read), keys))
        }
        .await;
        match fetched {
            Ok((configuration, (keys, max_age))) => {
                state.configuration = Some(configuration);
                state.keys.fetched(keys, max_age, self.clock.now());
                Ok(())
            }
            Err(error) => {
                state.keys.fetch_failed(now);
                // Keys that are past their life serve on for a while when a fetch fails.
                match state.keys.verdict(now) {
                    CacheVerdict::Fresh | CacheVerdict::Stale => {
                        tracing::warn!(%error, "the keys of an issuer could not be fetched; those known before are used");
                        Ok(())
                    }
                    CacheVerdict::Refetch | CacheVerdict::TooSoon => Err(error),
                }
            }
        }
    }

    async fn fetch_openid_configuration(&self, source: &IssuerSource<'_>) -> Result<IssuerDocuments, Error> {
        let issuer = source.issuer;
        let bad = |reason: String| unusable(issuer.as_str(), &reason);
        let document = IssuerDocument::OpenIdConfiguration;
        let request = document.request(issuer)?;
        let response = self.documents.follow(request, RedirectPolicy::same_origin(), &self.document_retries).await?;
        let no_keys = || {
            bad("neither its OpenID configuration nor the discovery document names its keys; what the discovery document \
                 names counts only at the issuer's own host, or where that is the FHIR server's"
                .to_owned())
        };
        if response.status() != StatusCode::OK {
            let jwks_uri = source.own_jwks_uri().cloned().ok_or_else(no_keys)?;
            return Ok(IssuerDocuments { jwks_uri, userinfo: None, algorithms: algorithms(&[]) });
        }
        let found = document
            .parse(response.body(), issuer, self.discovery.url_policy)
            .map_err(|reason| bad(reason.to_string()))?;
        let metadata = found.metadata;
        Ok(IssuerDocuments {
            jwks_uri: metadata.jwks_uri.or_else(|| source.own_jwks_uri().cloned()).ok_or_else(no_keys)?,
            userinfo: metadata.userinfo_endpoint,
            algorithms: algorithms(metadata.id_token_signing_alg_values_supported.as_deref().unwrap_or_default()),
        })
    }

    async fn fetch_keys(&self, jwks_uri: &Url) -> Result<(Jwks, Option<Duration>), Error> {
        let request = HttpClient::get_request(jwks_uri, "application/jwk-set+json, application/json;q=0.9")?;
        let response = self.documents.follow(request, RedirectPolicy::same_origin(), &self.document_retries).await?;
        if response.status() != StatusCode::OK {
            let reason = format!("its keys came with status {}", response.status().as_u16());
            return Err(unusable(jwks_uri.as_str(), &reason));
        }
        let cache_control = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let keys = Jwks::parse(response.body()).map_err(|e| unusable(jwks_uri.as_str(), &e.to_string()))?;
        Ok((keys, cache_control.and_then(smart_jwt::max_age)))
    }
}

fn unusable(issuer: &str, reason: &str) -> Error {
    Error::IssuerDocuments { issuer: issuer.to_owned(), reason: reason.to_owned() }
}

/// RS256 always, and what the issuer announces of the others that are safe.
fn algorithms(listed: &[String]) -> Vec<SigningAlgorithm> {
    let mut algorithms = vec![SigningAlgorithm::Rs256];
    for name in listed {
        if let Ok(algorithm) = name.parse()
            && !algorithms.contains(&algorithm)
        {
            algorithms.push(algorithm);
        }
    }
    algorithms
}
