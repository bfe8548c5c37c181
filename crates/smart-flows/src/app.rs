//! The app, as it is registered with an authorization server.

use crate::client_keys::ClientKeys;
use smart_core::client_id::ClientId;
use smart_core::scope::{ScopeError, Scopes};
use smart_core::secret::ClientSecret;
use smart_core::token::{BasicEncoding, ClientIdInBody, RefreshScope};
use smart_jwt::{ClientAssertionError, Signer};
use std::sync::Arc;
use std::time::Duration;

/// An app: its client id, how it shows who it is, and the scopes it asks for (SMART App Launch 2.2, register app).
///
/// A secret that is shipped with an app does not make it confidential: desktop, phone and browser apps are public.
#[derive(Clone)]
pub struct App {
    pub(crate) client_id: ClientId,
    pub(crate) kind: ClientKind,
    pub(crate) purpose: Purpose,
    pub(crate) scopes: Scopes,
    pub(crate) id_in_body: ClientIdInBody,
    pub(crate) refresh_scope: RefreshScope,
    pub(crate) scopes_as_written: bool,
    pub(crate) assertion: AssertionSettings,
}

/// How an app authenticates. Exactly one of them (requirement RG-02).
#[derive(Clone)]
pub(crate) enum ClientKind {
    Public,
    Secret {
        secret: ClientSecret,
        form: SecretForm,
    },
    Keys(Arc<dyn ClientKeys>),
    /// Registered for both: the key is preferred where the server takes one (requirement CA-21).
    KeysOrSecret {
        keys: Arc<dyn ClientKeys>,
        secret: ClientSecret,
        form: SecretForm,
    },
}

/// Where a shared secret stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretForm {
    Basic(BasicEncoding),
    Post,
}

/// What an app is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// People log in.
    Launches,
    /// No person is there: client credentials only.
    Backend,
}

/// The audience of client assertions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AssertionAudience {
    /// The URL of the token endpoint, as SMART says. The default.
    #[default]
    TokenEndpoint,
    /// The issuer that discovery names, for servers that follow the drafts after RFC 7523. Where it names none, the token
    /// endpoint.
    Issuer,
    /// This text.
    Other(String),
}

/// How client assertions are made.
#[derive(Debug, Clone)]
pub(crate) struct AssertionSettings {
    pub(crate) audience: AssertionAudience,
    pub(crate) lifetime: Duration,
    pub(crate) key_set_url: Option<String>,
    pub(crate) issued_at: bool,
}

impl Default for AssertionSettings {
    fn default() -> Self {
        Self {
            audience: AssertionAudience::default(),
            lifetime: Duration::from_mins(4),
            key_set_url: None,
            issued_at: true,
        }
    }
}

impl App {
    /// A public client: it has no secret.
    pub fn public(client_id: impl Into<ClientId>) -> Self {
        Self::new(client_id.into(), ClientKind::Public, Purpose::Launches)
    }

    /// A confidential client with a shared secret: an app whose server keeps it (SMART,
    /// client-confidential-symmetric).
    pub fn symmetric(client_id: impl Into<ClientId>, secret: ClientSecret) -> Self {
        let form = SecretForm::Basic(BasicEncoding::FormEncoded);
        Self::new(client_id.into(), ClientKind::Secret { secret, form }, Purpose::Launches)
    }

    /// A confidential client with a key, of which the server knows the public half (SMART,
    /// client-confidential-asymmetric). It can serve as backend service too, where it is registered for both.
    pub fn asymmetric(client_id: impl Into<ClientId>, key: impl Signer + 'static) -> Self {
        Self::with_keys(client_id, one(key))
    }

    /// The same with several keys, or keys that rotate.
    pub fn with_keys(client_id: impl Into<ClientId>, keys: impl ClientKeys) -> Self {
        Self::new(client_id.into(), ClientKind::Keys(Arc::new(keys)), Purpose::Launches)
    }

    /// A backend service: no person logs in, and it authenticates with a key (SMART App Launch 2.2, backend services).
    ///
    /// A shared secret is not possible (requirement CS-04), and launches are refused.
    pub fn backend(client_id: impl Into<ClientId>, key: impl Signer + 'static) -> Self {
        Self { purpose: Purpose::Backend, ..Self::asymmetric(client_id, key) }
    }

    /// The same with several keys, or keys that rotate.
    pub fn backend_with_keys(client_id: impl Into<ClientId>, keys: impl ClientKeys) -> Self {
        Self { purpose: Purpose::Backend, ..Self::with_keys(client_id, keys) }
    }

    fn new(client_id: ClientId, kind: ClientKind, purpose: Purpose) -> Self {
        Self {
            client_id,
            kind,
            purpose,
            scopes: Scopes::new(),
            id_in_body: ClientIdInBody::AsSpecified,
            refresh_scope: RefreshScope::Omit,
            scopes_as_written: false,
            assertion: AssertionSettings::default(),
        }
    }

    /// The scopes to ask for, separated by blanks.
    ///
    /// # Errors
    /// [`ScopeError`] says which scope is illegal, and where.
    pub fn scopes(mut self, scopes: &str) -> Result<Self, ScopeError> {
        self.scopes = scopes.parse()?;
        Ok(self)
    }

    /// The scopes to ask for, already read.
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Adds a key to an app with a secret, for the time of moving from one to the other: a server that says that it takes
    /// `private_key_jwt` gets an assertion, any other the secret. No effect on a public client.
    pub fn prefer_key(mut self, key: impl Signer + 'static) -> Self {
        if let ClientKind::Secret { secret, form } = self.kind {
            let keys = Arc::new(one(key));
            self.kind = ClientKind::KeysOrSecret { keys, secret, form };
        }
        self
    }

    /// For servers that want `client_id` in the body of a confidential client too.
    pub fn with_client_id_in_body(mut self) -> Self {
        self.id_in_body = ClientIdInBody::Always;
        self
    }

    /// For servers that do not decode what Basic authentication form-encodes.
    pub fn with_raw_basic(self) -> Self {
        self.with_secret_form(SecretForm::Basic(BasicEncoding::Raw))
    }

    /// For servers that want the secret in the body (`client_secret_post`).
    pub fn with_secret_in_body(self) -> Self {
        self.with_secret_form(SecretForm::Post)
    }

    fn with_secret_form(mut self, wanted: SecretForm) -> Self {
        if let ClientKind::Secret { form, .. } | ClientKind::KeysOrSecret { form, .. } = &mut self.kind {
            *form = wanted;
        }
        self
    }

    /// Asks for the scopes in the syntax that they are written in. Default: in the one that the server knows (`.rs` or
    /// `.read`), where they mean the same in it.
    pub fn with_scopes_as_written(mut self) -> Self {
        self.scopes_as_written = true;
        self
    }

    /// Whether a refresh names its scopes. Default: it does not.
    pub fn with_refresh_scope(mut self, scope: RefreshScope) -> Self {
        self.refresh_scope = scope;
        self
    }

    /// The audience of client assertions. Default: the token endpoint.
    pub fn with_assertion_audience(mut self, audience: AssertionAudience) -> Self {
        self.assertion.audience = audience;
        self
    }

    /// How long client assertions live, in whole seconds. Default: 240.
    ///
    /// # Errors
    /// [`ClientAssertionError::Lifetime`] outside of 1 to 300 seconds.
    pub fn with_assertion_lifetime(mut self, lifetime: Duration) -> Result<Self, ClientAssertionError> {
        smart_jwt::ClientAssertionBuilder::new(self.client_id.clone(), "").with_lifetime(lifetime)?;
        self.assertion.lifetime = lifetime;
        Ok(self)
    }

    /// Names the registered URL of the public keys in each assertion (`jku`), byte for byte as it is registered.
    pub fn with_key_set_url(mut self, url: impl Into<String>) -> Self {
        self.assertion.key_set_url = Some(url.into());
        self
    }

    /// Leaves `iat` out of assertions, for servers that refuse it.
    pub fn without_assertion_issued_at(mut self) -> Self {
        self.assertion.issued_at = false;
        self
    }

    /// The client id.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The scopes it asks for.
    pub fn requested_scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Whether the app has a shared secret.
    pub(crate) fn has_secret(&self) -> bool {
        matches!(self.kind, ClientKind::Secret { .. } | ClientKind::KeysOrSecret { .. })
    }

    /// Whether it has no means to authenticate.
    pub fn is_public(&self) -> bool {
        matches!(self.kind, ClientKind::Public)
    }

    pub(crate) fn keys(&self) -> Option<&Arc<dyn ClientKeys>> {
        match &self.kind {
            ClientKind::Keys(keys) | ClientKind::KeysOrSecret { keys, .. } => Some(keys),
            ClientKind::Public | ClientKind::Secret { .. } => None,
        }
    }
}

fn one(key: impl Signer + 'static) -> Vec<Arc<dyn Signer>> {
    vec![Arc::new(key)]
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            ClientKind::Public => "public",
            ClientKind::Secret { .. } => "confidential, with a secret",
            ClientKind::Keys(_) => "confidential, with keys",
            ClientKind::KeysOrSecret { .. } => "confidential, with keys and a secret",
        };
        f.debug_struct("App")
            .field("client_id", &self.client_id.as_str())
            .field("kind", &kind)
            .field("purpose", &self.purpose)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
