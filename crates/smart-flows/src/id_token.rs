//! Validating ID tokens. Nothing is ever skipped (defect of others: no keys found, so no check made).

use crate::client::Inner;
use crate::error::Error;
use crate::issuer_keys::{IssuerKeys, IssuerSource};
use crate::record::{SessionRecord, SessionUser, StoredLogin};
use smart_core::context::FhirUser;
use smart_core::discovery::Discovered;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::issuer::Issuer;
use smart_core::token::{ExpectedToken, TokenResponse};
use smart_jwt::{IdToken, IdTokenError, IdTokenValidator};
use url::Url;

/// What a validated ID token gives a session.
pub(crate) struct LoggedIn {
    pub(crate) user: SessionUser,
    pub(crate) login: StoredLogin,
    pub(crate) userinfo: Option<Url>,
}

impl Inner {
    /// Validates the ID token of a login. `None`: there is none.
    pub(crate) async fn validate_id_token(
        &self,
        server: &Discovered,
        expected: &ExpectedToken,
        token: &TokenResponse,
    ) -> Result<Option<LoggedIn>, Error> {
        let Some(raw) = &token.id_token else { return Ok(None) };
        let base = &expected.server().fhir_base;
        let issuer = expected.server().issuer.as_ref().ok_or_else(|| Error::IssuerDocuments {
            issuer: base.to_string(),
            reason: "its discovery document names no issuer".to_owned(),
        })?;
        let source = IssuerSource { issuer, fhir_base: base, jwks_uri: server.configuration.jwks_uri.as_ref() };
        let now = self.clock.now();
        let (id_token, keys) = self
            .with_issuer_keys(&source, |keys| {
                let mut validator = self.validator(base, issuer, keys);
                if let Some(nonce) = expected.nonce() {
                    validator = validator.with_nonce(nonce.clone());
                }
                validator.validate(raw, &keys.keys, now, Some(&token.access_token))
            })
            .await?;
        let user = user(&id_token, base)?;
        Ok(Some(LoggedIn { user, login: StoredLogin::of(&id_token, server), userinfo: keys.userinfo }))
    }

    /// Validates the ID token that came with a renewal, if one came: it has to be the same person's, of the same login
    /// (requirement RF-13). A login without an ID token has nothing to compare one with.
    ///
    /// It is judged as of when it came: who reads it in the store later, after a restart or in another process, finds it over.
    pub(crate) async fn validate_renewed_id_token(&self, record: &SessionRecord) -> Result<(), Error> {
        let (Some(raw), Some(user), Some(login)) = (&record.unverified, &record.user, &record.login) else {
            return Ok(());
        };
        if self.settings(&record.fhir_base).relaxations().renewed_id_token_ignored {
            return Ok(());
        }
        let issuer = Issuer::parse_with(&login.issuer, self.discovery.url_policy)?;
        let source = IssuerSource { issuer: &issuer, fhir_base: &record.fhir_base, jwks_uri: login.jwks_uri.as_ref() };
        let original = login.original(user);
        let came = record.received_at;
        self.with_issuer_keys(&source, |keys| {
            let validator = self.validator(&record.fhir_base, &issuer, keys);
            validator.validate_refreshed_after(&original, raw, &keys.keys, came, Some(&record.access_token))
        })
        .await
        .map(drop)
    }

    fn validator(&self, base: &FhirBaseUrl, issuer: &Issuer, keys: &IssuerKeys) -> IdTokenValidator {
        let policy = IdTokenValidator::builder(issuer.clone(), self.app.client_id.clone());
        let policy = policy.only_algorithms(&keys.algorithms);
        if self.settings(base).relaxations().issuer_trailing_slash {
            return policy.dangerous_ignore_trailing_slash_of_issuer().build();
        }
        policy.build()
    }

    /// Judges a token by the issuer's keys, once more with fresh ones when its key is not among those that are known.
    async fn with_issuer_keys(
        &self,
        source: &IssuerSource<'_>,
        check: impl Fn(&IssuerKeys) -> Result<IdToken, IdTokenError>,
    ) -> Result<(IdToken, IssuerKeys), Error> {
        let mut keys = self.issuer_keys(source, false).await?;
        let mut verdict = check(&keys);
        if verdict.as_ref().is_err_and(IdTokenError::needs_refetch) {
            keys = self.issuer_keys(source, true).await?;
            verdict = check(&keys);
        }
        match verdict {
            Ok(id_token) => Ok((id_token, keys)),
            Err(failed) => Err(Error::IdToken { issuer: source.issuer.as_str().to_owned(), source: failed }),
        }
    }
}

fn user(id_token: &IdToken, base: &FhirBaseUrl) -> Result<SessionUser, Error> {
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
