//! Everything that can go wrong in this crate, as one type.

use crate::app_state::{AppStateError, StateContentError};
use crate::authorize::{AuthorizationError, AuthorizationErrorCode, CallbackError};
use crate::brands::BrandError;
use crate::context::FhirUserError;
use crate::discovery::DiscoveryError;
use crate::json::JsonError;
use crate::launch::{LaunchError, TaskLaunchError};
use crate::pkce::PkceError;
use crate::random::RandomError;
use crate::redirect_uri::RedirectUriError;
use crate::registration::{ConfigurationError, KeySetError, LaunchUrlError, MetadataError, RegistrationError};
use crate::sanitized::{Sanitize, Sanitized};
use crate::scope::ScopeError;
use crate::style::StyleError;
use crate::token::{BackendScopeError, MessageError, RefreshError, TokenError, TokenErrorCode};
use crate::url_policy::UrlError;
use crate::userinfo::UserInfoError;

/// An error of this crate. Each variant wraps the error of one step, which says what happened and at which endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum Error {
    /// A URL is not one that may be used.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A redirect URI is not one that may be used.
    #[error(transparent)]
    RedirectUri(#[from] RedirectUriError),
    /// A scope is illegal.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The scopes of a backend service are not such.
    #[error(transparent)]
    BackendScope(#[from] BackendScopeError),
    /// Discovery found no server to use.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// An EHR launch was refused.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// No authorization request could be made.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// A callback was refused, or brought an error.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// A message could not be made.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// No refresh request could be made.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The token, introspection or revocation endpoint refused, or answered nonsense.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A client cannot be configured so.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// A launch URL is not one that may be used.
    #[error(transparent)]
    LaunchUrl(#[from] LaunchUrlError),
    /// A set of public keys is none, or is not public.
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    /// Metadata cannot be registered so.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A registration failed.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// A bundle of brands is of no use.
    #[error(transparent)]
    Brand(#[from] BrandError),
    /// Something is no app state.
    #[error(transparent)]
    StateContent(#[from] StateContentError),
    /// An exchange with the app-state endpoint failed.
    #[error(transparent)]
    AppState(#[from] AppStateError),
    /// A Task is no launch.
    #[error(transparent)]
    TaskLaunch(#[from] TaskLaunchError),
    /// The UserInfo endpoint refused, or answered about somebody else.
    #[error(transparent)]
    UserInfo(#[from] UserInfoError),
    /// A style document is of no use.
    #[error(transparent)]
    Style(#[from] StyleError),
    /// The `fhirUser` claim is of no use.
    #[error(transparent)]
    FhirUser(#[from] FhirUserError),
    /// A code verifier or challenge is malformed.
    #[error(transparent)]
    Pkce(#[from] PkceError),
    /// A document is no JSON object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// No random octets could be had.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Error {
    /// Whether the same thing may work a little later, unchanged.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Token(error) => error.is_retryable(),
            Self::Callback(error) => error.is_retryable(),
            Self::Discovery(error) => error.is_retryable(),
            Self::Registration(error) => error.is_retryable(),
            Self::Style(error) => error.is_retryable(),
            Self::Brand(error) => error.is_retryable(),
            Self::AppState(error) => error.is_retryable(),
            Self::UserInfo(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// Whether the person has to log in again.
    pub fn needs_reauthorization(&self) -> bool {
        match self {
            Self::Token(error) => error.needs_reauthorization(),
            Self::Callback(error) => !error.is_denied_by_person(),
            _ => false,
        }
    }
}

impl Sanitize for Error {
    fn code(&self) -> String {
        let part = match self {
            Self::Token(TokenError::Refused { response, .. }) => match &response.error {
                TokenErrorCode::Other(_) => "refused",
                code => return format!("token/refused/{code}"),
            },
            Self::Callback(CallbackError::Refused { error, .. }) => match error {
                AuthorizationErrorCode::Other(_) => "refused",
                code => return format!("callback/refused/{code}"),
            },
            Self::Token(error) => name(error),
            Self::Callback(error) => name(error),
            Self::Url(error) => name(error),
            Self::RedirectUri(error) => name(error),
            Self::BackendScope(error) => name(error),
            Self::Discovery(error) => name(error),
            Self::Launch(error) => name(error),
            Self::Authorization(error) => name(error),
            Self::Message(error) => name(error),
            Self::Refresh(error) => name(error),
            Self::Configuration(error) => name(error),
            Self::LaunchUrl(error) => name(error),
            Self::KeySet(error) => name(error),
            Self::Registration(error) => name(error),
            Self::Brand(error) => name(error),
            Self::StateContent(error) => name(error),
            Self::AppState(error) => name(error),
            Self::TaskLaunch(error) => name(error),
            Self::UserInfo(error) => name(error),
            Self::Style(error) => name(error),
            Self::FhirUser(error) => name(error),
            Self::Pkce(error) => name(error),
            Self::Json(error) => name(error),
            Self::Scope(_) | Self::Metadata(_) | Self::Random(_) => return name(self).to_owned(),
        };
        format!("{}/{part}", name(self))
    }

    fn sanitized(&self) -> Sanitized {
        Sanitized::new(self.code(), None, self.is_retryable(), self.needs_reauthorization())
    }
}

fn name<'a, E>(error: &'a E) -> &'static str
where
    &'static str: From<&'a E>,
{
    error.into()
}
