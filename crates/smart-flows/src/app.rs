//! The app, as it is registered with an authorization server.

use smart_core::client_id::ClientId;
use smart_core::scope::{ScopeError, Scopes};
use smart_core::secret::ClientSecret;
use smart_core::token::{BasicEncoding, ClientAuthentication, ClientIdInBody};

/// An app: its client id, how it shows who it is, and the scopes it asks for (SMART App Launch 2.2, register app).
///
/// A secret that is shipped with an app does not make it confidential: desktop, phone and browser apps are public.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) client_id: ClientId,
    pub(crate) kind: ClientKind,
    pub(crate) scopes: Scopes,
    pub(crate) id_in_body: ClientIdInBody,
}

/// How an app authenticates. Exactly one of them (requirement RG-02).
#[derive(Debug, Clone)]
pub(crate) enum ClientKind {
    Public,
    Symmetric { secret: ClientSecret, encoding: BasicEncoding },
}

impl App {
    /// A public client: it has no secret.
    pub fn public(client_id: impl Into<ClientId>) -> Self {
        Self::new(client_id.into(), ClientKind::Public)
    }

    /// A confidential client with a shared secret: an app whose server keeps it (SMART,
    /// client-confidential-symmetric).
    pub fn symmetric(client_id: impl Into<ClientId>, secret: ClientSecret) -> Self {
        Self::new(client_id.into(), ClientKind::Symmetric { secret, encoding: BasicEncoding::FormEncoded })
    }

    fn new(client_id: ClientId, kind: ClientKind) -> Self {
        Self { client_id, kind, scopes: Scopes::new(), id_in_body: ClientIdInBody::AsSpecified }
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

    /// For servers that want `client_id` in the body of a confidential client too.
    pub fn with_client_id_in_body(mut self) -> Self {
        self.id_in_body = ClientIdInBody::Always;
        self
    }

    /// For servers that do not decode what Basic authentication form-encodes.
    pub fn with_raw_basic(mut self) -> Self {
        if let ClientKind::Symmetric { encoding, .. } = &mut self.kind {
            *encoding = BasicEncoding::Raw;
        }
        self
    }

    /// The client id.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The authentication for one request.
    pub(crate) fn authentication(&self) -> ClientAuthentication {
        match &self.kind {
            ClientKind::Public => ClientAuthentication::Public,
            ClientKind::Symmetric { secret, encoding } => {
                ClientAuthentication::SecretBasic { secret: secret.clone(), encoding: *encoding }
            }
        }
    }
}
