//! Asking an issuer for its metadata, and reading the answer.

use super::body::{byte_order_mark, object};
use super::error::DiscoveryError;
use super::issuer_metadata::IssuerMetadata;
use super::members::Members;
use super::report::{Finding, FindingCode, ValidationReport};
use super::requests::{oauth_metadata_request, openid_configuration_request};
use crate::issuer::Issuer;
use crate::untrusted::shown;
use crate::url_policy::{UrlError, UrlPolicy};
use bytes::Bytes;
use http::Request;
use serde::Serialize;
use serde_json::Value;
use url::Url;

/// The two documents by which an issuer describes itself. Their members are of one registry (RFC 8414, section 7.1);
/// they differ in where they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerDocument {
    /// `{issuer}/.well-known/openid-configuration` (OpenID Connect Discovery, section 4).
    OpenIdConfiguration,
    /// `/.well-known/oauth-authorization-server` between host and path of the issuer (RFC 8414, section 3).
    OAuthMetadata,
}

/// An issuer, as its own document describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiscoveredIssuer {
    /// Which document was read.
    pub document: IssuerDocument,
    /// What it says. Its issuer is the one that was asked for, letter by letter.
    pub metadata: IssuerMetadata,
    /// What is wrong with it.
    pub report: ValidationReport,
}

impl IssuerDocument {
    /// Where the document of an issuer lies (requirement DI-21).
    ///
    /// # Errors
    /// [`UrlError`] when no URL can be made of the issuer.
    pub fn url(self, issuer: &Issuer) -> Result<Url, UrlError> {
        match self {
            Self::OpenIdConfiguration => issuer.openid_configuration_url(),
            Self::OAuthMetadata => issuer.oauth_metadata_url(),
        }
    }

    /// The request for it: a GET without credentials.
    ///
    /// # Errors
    /// [`UrlError`] when no request URI can be made of the issuer.
    pub fn request(self, issuer: &Issuer) -> Result<Request<Bytes>, UrlError> {
        match self {
            Self::OpenIdConfiguration => openid_configuration_request(issuer),
            Self::OAuthMetadata => oauth_metadata_request(issuer),
        }
    }

    /// Reads the body of an answer with status 200. The caller has limited its size.
    ///
    /// A document that does not name `issuer` itself, letter by letter, is refused (requirement DI-22): else whoever
    /// can write a document at one issuer could speak for another. URLs in it are absolute.
    ///
    /// # Errors
    /// [`DiscoveryError::OtherIssuer`]; [`DiscoveryError::NotJson`] or [`DiscoveryError::Json`] for a broken document;
    /// [`DiscoveryError::Endpoint`] when its `jwks_uri` may not be used: without keys no ID token can be checked.
    pub fn parse(self, body: &[u8], issuer: &Issuer, policy: UrlPolicy) -> Result<DiscoveredIssuer, DiscoveryError> {
        let document = self.url(issuer)?.to_string();
        let object = object(body, &document)?;
        let found = object.get("issuer").and_then(Value::as_str);
        if found != Some(issuer.as_str()) {
            let found = found.map(|found| shown(found, 200));
            return Err(DiscoveryError::OtherIssuer { document, asked: issuer.as_str().to_owned(), found });
        }
        let mut members = Members::new(object, None, policy);
        let jwks_uri = members.checked_url("jwks_uri").map_err(|reason| DiscoveryError::Endpoint {
            document,
            member: "jwks_uri",
            reason,
        })?;
        let (metadata, mut findings) = IssuerMetadata::from_members(issuer.clone(), jwks_uri, members);
        findings.extend(byte_order_mark(body));
        if self == Self::OpenIdConfiguration && metadata.jwks_uri.is_none() {
            let message = "`jwks_uri` is missing, which OpenID Connect Discovery requires";
            findings.push(Finding::new(FindingCode::JwksUriMissing, message));
        }
        Ok(DiscoveredIssuer { document: self, metadata, report: ValidationReport::new(findings) })
    }
}

impl std::fmt::Display for IssuerDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OpenIdConfiguration => "OpenID configuration",
            Self::OAuthMetadata => "OAuth metadata",
        })
    }
}
