//! A session as it rests in a store.

use crate::client_auth::AuthHints;
use crate::error::Error;
use serde::{Deserialize, Serialize};
use smart_core::client_id::ClientId;
use smart_core::context::{FhirUser, LaunchContext};
use smart_core::discovery::Discovered;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::scope::Scopes;
use smart_core::secret::{AccessToken, RawIdToken, RefreshToken, exposed};
use smart_core::time::Timestamp;
use smart_core::token::TokenResponse;
use smart_jwt::{IdToken, OriginalLogin};
use smart_store::{Key, Kind, SecretBytes};
use url::Url;

/// The form of the record: a reader refuses those it does not know.
const FORM: u32 = 2;

/// Where a session's tokens are renewed, examined and revoked. Stored with the session, so that a logout after a
/// restart still knows where to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEndpoints {
    /// The token endpoint.
    pub token: Url,
    /// The introspection endpoint, where there is one.
    pub introspection: Option<Url>,
    /// The revocation endpoint, where there is one.
    pub revocation: Option<Url>,
    /// The userinfo endpoint of the issuer, where it names one.
    pub userinfo: Option<Url>,
}

/// Who logged in, as the validated ID token says. `Debug` does not show who: it may be the patient.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionUser {
    /// The issuer of the ID token.
    pub issuer: String,
    /// The user at that issuer: the pair names a person, the subject alone does not.
    pub subject: String,
    /// The algorithm of the ID token's signature.
    pub algorithm: String,
    /// The user as a FHIR resource.
    pub fhir_user: Option<FhirUser>,
}

impl std::fmt::Debug for SessionUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionUser")
            .field("issuer", &self.issuer)
            .field("algorithm", &self.algorithm)
            .field("fhir_user", &self.fhir_user)
            .finish_non_exhaustive()
    }
}

/// What is kept of the ID token of the login, to compare with those of renewals (OpenID Connect Core, section 12.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredLogin {
    /// The issuer as discovery named it.
    pub(crate) issuer: String,
    pub(crate) jwks_uri: Option<Url>,
    audience: Vec<String>,
    authorized_party: Option<String>,
    issued_at: Timestamp,
    authenticated_at: Option<Timestamp>,
    nonce: Option<String>,
}

impl StoredLogin {
    pub(crate) fn of(id_token: &IdToken, server: &Discovered) -> Self {
        let login = id_token.original_login();
        Self {
            issuer: server
                .configuration
                .issuer
                .as_ref()
                .map_or_else(|| login.issuer, |issuer| issuer.as_str().to_owned()),
            jwks_uri: server.configuration.jwks_uri.clone(),
            audience: login.audience,
            authorized_party: login.authorized_party,
            issued_at: login.issued_at,
            authenticated_at: login.authenticated_at,
            nonce: login.nonce,
        }
    }

    pub(crate) fn original(&self, user: &SessionUser) -> OriginalLogin {
        OriginalLogin {
            issuer: user.issuer.clone(),
            subject: user.subject.clone(),
            audience: self.audience.clone(),
            authorized_party: self.authorized_party.clone(),
            issued_at: self.issued_at,
            authenticated_at: self.authenticated_at,
            nonce: self.nonce.clone(),
        }
    }
}

/// How a session came about, and so how its token is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grant {
    /// A person logged in: by the refresh token, where there is one.
    Login,
    /// A backend service: by a new assertion.
    Backend,
}

/// All that a session is. Its secrets serialise in the clear, for a store that seals them; `Debug` shows none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub(crate) form: u32,
    pub(crate) id: String,
    pub(crate) grant: Grant,
    pub(crate) fhir_base: FhirBaseUrl,
    pub(crate) client_id: ClientId,
    pub(crate) endpoints: SessionEndpoints,
    pub(crate) hints: AuthHints,
    pub(crate) user: Option<SessionUser>,
    pub(crate) login: Option<StoredLogin>,
    pub(crate) requested: Scopes,
    pub(crate) granted: Scopes,
    pub(crate) context: LaunchContext,
    #[serde(with = "exposed")]
    pub(crate) access_token: AccessToken,
    #[serde(with = "exposed::option")]
    pub(crate) refresh_token: Option<RefreshToken>,
    pub(crate) received_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    /// An ID token that came with a renewal and was not validated yet: until it is, the access token is not used.
    #[serde(with = "exposed::option", default)]
    pub(crate) unverified: Option<RawIdToken>,
    pub(crate) started_at: Timestamp,
    /// When the person last did something.
    pub(crate) active_at: Timestamp,
    pub(crate) locked: bool,
}

/// What a new session is made of, besides the token response.
pub(crate) struct NewSession {
    pub(crate) id: String,
    pub(crate) grant: Grant,
    pub(crate) fhir_base: FhirBaseUrl,
    pub(crate) client_id: ClientId,
    pub(crate) endpoints: SessionEndpoints,
    pub(crate) hints: AuthHints,
    pub(crate) user: Option<SessionUser>,
    pub(crate) login: Option<StoredLogin>,
    pub(crate) requested: Scopes,
}

impl SessionRecord {
    pub(crate) fn new(new: NewSession, token: TokenResponse, expires_at: Option<Timestamp>) -> Self {
        let NewSession { id, grant, fhir_base, client_id, endpoints, hints, user, login, requested } = new;
        Self {
            form: FORM,
            id,
            grant,
            fhir_base,
            client_id,
            endpoints,
            hints,
            user,
            login,
            requested,
            granted: token.scope,
            context: token.context,
            access_token: token.access_token,
            refresh_token: token.refresh_token,
            received_at: token.received_at,
            expires_at,
            unverified: None,
            started_at: token.received_at,
            active_at: token.received_at,
            locked: false,
        }
    }

    /// The record after a renewal. An ID token that came with it is still to be validated.
    pub(crate) fn renewed(&self, token: TokenResponse, expires_at: Option<Timestamp>) -> Self {
        Self {
            granted: token.scope,
            context: token.context,
            access_token: token.access_token,
            refresh_token: token.refresh_token,
            received_at: token.received_at,
            expires_at,
            unverified: token.id_token.filter(|_| self.user.is_some()),
            ..self.clone()
        }
    }

    /// Whether the token can be renewed without a person.
    pub(crate) fn is_renewable(&self) -> bool {
        self.grant == Grant::Backend || self.refresh_token.is_some()
    }

    /// The key: bound to server, client and user (defect of others: one client loads another's token).
    pub(crate) fn key(&self) -> Key {
        let user = self.user.as_ref().map_or("", |user| user.subject.as_str());
        session_key(&self.fhir_base, &self.client_id, user, &self.id)
    }

    pub(crate) fn to_bytes(&self) -> Result<SecretBytes, Error> {
        serde_json::to_vec(self)
            .map(SecretBytes::new)
            .map_err(|_| Error::Internal("a session record cannot be written"))
    }

    pub(crate) fn from_bytes(key: &Key, bytes: &SecretBytes) -> Result<Self, Error> {
        let unreadable = |reason: &str| Error::StoredSession { key: key.to_string(), reason: reason.to_owned() };
        let record: Self = serde_json::from_slice(bytes.expose_secret()).map_err(|_| unreadable("it is damaged"))?;
        if record.form != FORM {
            return Err(unreadable("another version of this library wrote it"));
        }
        // A record under another session's name would send its token to another server.
        if record.key() != *key {
            return Err(unreadable("it belongs to another session"));
        }
        Ok(record)
    }
}

/// The `issuer` part of a key: server and client.
pub(crate) fn issuer_part(fhir_base: &FhirBaseUrl, client_id: &ClientId) -> String {
    format!("{} {}", fhir_base.normalised(), client_id)
}

pub(crate) fn session_key(fhir_base: &FhirBaseUrl, client_id: &ClientId, user: &str, id: &str) -> Key {
    Key::new(Kind::Session, issuer_part(fhir_base, client_id), user, id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smart_core::url_policy::UrlPolicy;
    use std::time::Duration;

    fn record() -> SessionRecord {
        let token = TokenResponse {
            access_token: AccessToken::new("secret-access"),
            expires_in: Some(Duration::from_mins(5)),
            received_at: Timestamp::from_unix_seconds(1_800_000_000),
            scope: "patient/*.rs".parse().unwrap(),
            refresh_token: Some(RefreshToken::new("secret-refresh")),
            id_token: None,
            authorization_details: Vec::new(),
            context: LaunchContext { patient: Some("p-1".into()), ..LaunchContext::default() },
            leniencies: Vec::new(),
        };
        let base = FhirBaseUrl::parse_with("https://ehr.example/r4/", UrlPolicy::HttpsOnly).unwrap();
        let endpoints = SessionEndpoints {
            token: "https://ehr.example/token".parse().unwrap(),
            introspection: None,
            revocation: Some("https://ehr.example/revoke".parse().unwrap()),
            userinfo: None,
        };
        let new = NewSession {
            id: "s1".into(),
            grant: Grant::Login,
            fhir_base: base,
            client_id: "app".into(),
            endpoints,
            hints: AuthHints::default(),
            user: None,
            login: None,
            requested: "patient/*.rs".parse().unwrap(),
        };
        let expires_at = token.expires_at();
        SessionRecord::new(new, token, expires_at)
    }

    /// F-73, D-02: the expiry of a stored session is a point in time, so that reading it does not make it younger.
    #[test]
    fn stored_expiry_is_absolute() {
        let before = record();
        let after = SessionRecord::from_bytes(&before.key(), &before.to_bytes().unwrap()).unwrap();
        assert_eq!(after, before);
        assert_eq!(after.expires_at.unwrap().as_unix_seconds(), 1_800_000_300);
    }

    /// F-82, D-15: a record is bound to server, client and user; under another key it is refused.
    #[test]
    fn record_under_another_key_is_refused() {
        let record = record();
        let bytes = record.to_bytes().unwrap();
        let other_server = FhirBaseUrl::parse("https://other.example/r4").unwrap();
        for key in [
            session_key(&other_server, &record.client_id, "", "s1"),
            session_key(&record.fhir_base, &"other-app".into(), "", "s1"),
            session_key(&record.fhir_base, &record.client_id, "someone", "s1"),
            session_key(&record.fhir_base, &record.client_id, "", "s2"),
        ] {
            assert!(matches!(SessionRecord::from_bytes(&key, &bytes), Err(Error::StoredSession { .. })), "{key}");
        }
    }

    /// D-28, F-84: a record of a wrong shape is a typed error.
    #[test]
    fn damaged_record_is_a_typed_error() {
        let key = record().key();
        for bytes in [&b"{}"[..], b"", b"[1]", b"\xff", b"{\"form\":2}"] {
            let result = SessionRecord::from_bytes(&key, &SecretBytes::new(bytes.to_vec()));
            assert!(matches!(result, Err(Error::StoredSession { .. })), "{bytes:?}");
        }
    }

    /// SE-05, F-85: Debug shows neither tokens nor the patient.
    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", record());
        assert!(!shown.contains("secret-") && !shown.contains("p-1"), "{shown}");
    }
}
