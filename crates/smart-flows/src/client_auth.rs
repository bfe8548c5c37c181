//! How the app authenticates in one request to the authorization server.

use crate::app::{AssertionAudience, ClientKind, SecretForm};
use crate::client::Inner;
use crate::error::Error;
use crate::task::within;
use serde::{Deserialize, Serialize};
use smart_core::discovery::{AuthMethod, Discovered};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::issuer::Issuer;
use smart_core::secret::{ClientAssertion, ClientSecret};
use smart_core::token::ClientAuthentication;
use smart_jwt::{ClientAssertionBuilder, Signer, SigningAlgorithm, choose_assertion_algorithm};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long a signer (a key management service, say) may take.
const SIGNING: Duration = Duration::from_secs(30);

/// What a server says of client authentication, kept with a session so that it still counts after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct AuthHints {
    /// The authentication methods that it lists.
    pub(crate) methods: Option<Vec<AuthMethod>>,
    /// The algorithms of assertions that it lists.
    pub(crate) algorithms: Option<Vec<String>>,
    /// Its issuer.
    pub(crate) issuer: Option<Issuer>,
}

impl AuthHints {
    pub(crate) fn of(server: &Discovered) -> Self {
        let configuration = &server.configuration;
        Self {
            methods: configuration.token_endpoint_auth_methods_supported.clone(),
            algorithms: configuration.token_endpoint_auth_signing_alg_values_supported.clone(),
            issuer: configuration.issuer.clone(),
        }
    }

    fn lists(&self, method: &AuthMethod) -> bool {
        self.methods.as_ref().is_some_and(|methods| methods.contains(method))
    }
}

impl Inner {
    /// The authentication for one request. An assertion is good for that one alone: ask again for the next
    /// (requirement CA-06).
    pub(crate) async fn authenticate(
        &self,
        fhir_base: &FhirBaseUrl,
        token_endpoint: &Url,
        hints: &AuthHints,
    ) -> Result<ClientAuthentication, Error> {
        let with_secret = |secret: &ClientSecret, form: SecretForm| match form {
            SecretForm::Basic(encoding) => ClientAuthentication::SecretBasic {
                secret: secret.clone(),
                encoding: self.basic_encoding(fhir_base, encoding),
            },
            SecretForm::Post => ClientAuthentication::SecretPost { secret: secret.clone() },
        };
        match &self.app.kind {
            ClientKind::Public => Ok(ClientAuthentication::Public),
            ClientKind::Secret { secret, form } => Ok(with_secret(secret, *form)),
            ClientKind::KeysOrSecret { secret, form, .. } if !hints.lists(&AuthMethod::PrivateKeyJwt) => {
                Ok(with_secret(secret, *form))
            }
            ClientKind::Keys(keys) | ClientKind::KeysOrSecret { keys, .. } => {
                let assertion = self.assertion(&keys.signers(), token_endpoint, hints).await?;
                Ok(ClientAuthentication::Assertion { assertion })
            }
        }
    }

    /// A new assertion, signed with the first key that the server accepts (requirements CA-06, CA-12).
    pub(crate) async fn assertion(
        &self,
        signers: &[Arc<dyn Signer>],
        token_endpoint: &Url,
        hints: &AuthHints,
    ) -> Result<ClientAssertion, Error> {
        let own: Vec<SigningAlgorithm> = signers.iter().map(Signer::algorithm).collect();
        let algorithm = choose_assertion_algorithm(hints.algorithms.as_deref(), &own)?;
        let signer = signers
            .iter()
            .find(|signer| signer.algorithm() == algorithm)
            .ok_or(Error::Internal("an algorithm was chosen that no key has"))?;
        let settings = &self.app.assertion;
        let audience = match (&settings.audience, &hints.issuer) {
            (AssertionAudience::Other(audience), _) => audience.clone(),
            (AssertionAudience::Issuer, Some(issuer)) => issuer.as_str().to_owned(),
            _ => token_endpoint.as_str().to_owned(),
        };
        let mut builder =
            ClientAssertionBuilder::new(self.app.client_id.clone(), audience).with_lifetime(settings.lifetime)?;
        if let Some(url) = &settings.key_set_url {
            builder = builder.with_key_set_url(url.clone());
        }
        if !settings.issued_at {
            builder = builder.without_issued_at();
        }
        match within(SIGNING, builder.sign(signer, self.clock.now(), &*self.random)).await {
            Some(assertion) => Ok(assertion?),
            None => Err(Error::SigningTimeout { seconds: SIGNING.as_secs() }),
        }
    }
}
