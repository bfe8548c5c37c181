//! What a server likes better. Nothing here makes a check less strict.

use super::backend::BackendAccess;
use crate::discovery::SmartConfiguration;
use crate::scope::{Scope, Scopes, Syntax};
use crate::token::{BasicEncoding, ClientIdInBody, RefreshScope};
use std::time::Duration;

/// How resource scopes are written for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScopeStyle {
    /// In the syntax that the server's capabilities ask for (requirement SC-29). The default.
    #[default]
    ByCapability,
    /// As the app wrote them: the server lists both syntaxes, and the app's registration decides which of them works.
    AsWritten,
}

/// What a server makes of clinical scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClinicalScopes {
    /// It knows them, wildcards included. The default.
    #[default]
    Any,
    /// It knows them, but leaves out or refuses wildcard types: each type has to be named.
    NoWildcards,
    /// Its authorization server knows none: access is decided elsewhere.
    Foreign,
}

/// Whether a refresh names its scopes, as far as a server cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefreshScopeRule {
    /// It does not. The default.
    #[default]
    Omit,
    /// It repeats the granted ones.
    Granted,
}

/// How a server likes requests to be written.
///
/// A host name may bring these along ([`ServerProfile::recognise`](super::ServerProfile::recognise)): a wrong one
/// costs a failed request, never a check. A field added here has to keep to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// How resource scopes are written.
    pub scope_style: ScopeStyle,
    /// What the server makes of clinical scopes.
    pub clinical_scopes: ClinicalScopes,
    /// Whether a confidential client also names itself in the body.
    pub client_id_in_body: ClientIdInBody,
    /// How id and secret are encoded for HTTP Basic.
    pub basic_encoding: BasicEncoding,
    /// Whether a refresh names its scopes.
    pub refresh_scope: RefreshScopeRule,
    /// An OAuth error code, besides `invalid_grant`, by which the server says that a refresh token is of no use any
    /// more: the person has to log in again.
    pub refresh_token_dead: Option<&'static str>,
    /// How long an access token is taken to live when the answer does not say (`expires_in` is missing). `None`: it is
    /// unknown, and a 401 tells.
    pub life_if_unsaid: Option<Duration>,
    /// A header of the discovery requests that carries the client id.
    pub client_id_header: Option<&'static str>,
    /// Parameters that a standalone launch adds to its authorization request.
    pub authorize_extra: &'static [(&'static str, &'static str)],
    /// How a service without a person gets its token.
    pub backend: BackendAccess,
    /// Whether the introspection endpoint takes the app's own access token as bearer, and no other authentication.
    pub introspection_by_bearer: bool,
}

impl Preferences {
    /// What SMART says.
    pub const SMART: Self = Self {
        scope_style: ScopeStyle::ByCapability,
        clinical_scopes: ClinicalScopes::Any,
        client_id_in_body: ClientIdInBody::AsSpecified,
        basic_encoding: BasicEncoding::FormEncoded,
        refresh_scope: RefreshScopeRule::Omit,
        refresh_token_dead: None,
        life_if_unsaid: None,
        client_id_header: None,
        authorize_extra: &[],
        backend: BackendAccess::Smart,
        introspection_by_bearer: false,
    };

    /// The syntax to bring resource scopes into. `None`: leave them as the app wrote them.
    pub fn scope_syntax(&self, configuration: &SmartConfiguration) -> Option<Syntax> {
        match self.scope_style {
            ScopeStyle::ByCapability => Some(configuration.scope_syntax()),
            ScopeStyle::AsWritten => None,
        }
    }

    /// The scopes of a refresh request.
    pub fn refresh_scope(&self) -> RefreshScope {
        match self.refresh_scope {
            RefreshScopeRule::Omit => RefreshScope::Omit,
            RefreshScopeRule::Granted => RefreshScope::Granted,
        }
    }

    /// Scopes that this server is known not to grant as they stand. Worth telling before the person is sent anywhere;
    /// the server decides.
    pub fn objections(&self, scopes: &Scopes) -> Vec<ScopeObjection> {
        let about = |scope: &Scope| match (self.clinical_scopes, scope) {
            (ClinicalScopes::NoWildcards, Scope::Resource(resource)) if resource.is_wildcard() => {
                Some(ScopeObjection::Wildcard { scope: scope.clone() })
            }
            (ClinicalScopes::Foreign, Scope::Resource(_) | Scope::Launch(_) | Scope::FhirUser) => {
                Some(ScopeObjection::Foreign { scope: scope.clone() })
            }
            _ => None,
        };
        scopes.iter().filter_map(about).collect()
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Self::SMART
    }
}

/// Why a server is known not to grant a scope as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeObjection {
    /// It grants no wildcards.
    #[error("this server grants no wildcard scopes such as `{scope}`; name each resource type")]
    Wildcard {
        /// The scope.
        scope: Scope,
    },
    /// Its authorization server knows no scopes of SMART.
    #[error("this server's authorization server knows no SMART scopes such as `{scope}`; access is decided elsewhere")]
    Foreign {
        /// The scope.
        scope: Scope,
    },
}
