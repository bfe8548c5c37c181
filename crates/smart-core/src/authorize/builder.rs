//! Building an authorization request.

use super::pending::{PendingAuthorization, PendingParts};
use super::request::AuthorizationRequest;
use super::server::AuthorizationServer;
use crate::client_id::ClientId;
use crate::launch::EhrLaunch;
use crate::pkce::{CodeChallenge, CodeVerifier};
use crate::random::{RandomError, SecureRandom};
use crate::redirect_uri::RedirectUri;
use crate::scope::{Level, Scope, Scopes};
use crate::secret::LaunchId;
use crate::state::{Nonce, State};
use crate::time::Timestamp;
use std::time::Duration;

/// How long a login may take before its answer is refused, if nothing else is said.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(10);

/// Parameters that only this crate may set (requirements AZ-07, AZ-13).
const RESERVED: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "aud",
    "resource",
    "launch",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "request",
    "request_uri",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code",
    "code_verifier",
];

/// Why no authorization request could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum AuthorizationError {
    /// A parameter of one's own would replace one of the protocol's.
    #[error("`{name}` is a parameter of the protocol and cannot be set as an extra parameter")]
    ReservedParameter {
        /// Its name.
        name: String,
    },
    /// The same extra parameter was given twice.
    #[error("the extra parameter `{name}` is given twice; a parameter may be sent once (RFC 6749, section 3.1)")]
    RepeatedParameter {
        /// Its name.
        name: String,
    },
    /// The scopes do not fit the launch.
    #[error("{0}")]
    Scopes(&'static str),
    /// The launch came from another FHIR server than the one that was discovered.
    #[error(
        "the launch came from `{launch}` but the discovered server is `{discovered}`; discover the launch's own `iss`"
    )]
    OtherServer {
        /// The launch's `iss`.
        launch: String,
        /// The FHIR base of the discovered server.
        discovered: String,
    },
    /// No random octets could be had.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Makes an authorization request: `response_type=code`, PKCE S256 always, a fresh state, a nonce with `openid`.
///
/// There is no implicit, hybrid or password grant here (RFC 9700, sections 2.1.2 and 2.4), no `max_age`, and no way to
/// leave PKCE out.
#[derive(Debug, Clone)]
pub struct AuthorizationBuilder {
    server: AuthorizationServer,
    client_id: ClientId,
    redirect_uri: RedirectUri,
    scopes: Scopes,
    launch: Option<LaunchId>,
    resource: bool,
    extra: Vec<(String, String)>,
    lifetime: Duration,
}

impl AuthorizationBuilder {
    /// A standalone launch: the request carries no `launch` parameter. The scope `launch/patient` is added where a
    /// `patient/` scope is asked for, since servers may refuse it otherwise, and `openid` where `fhirUser` is.
    ///
    /// # Errors
    /// [`AuthorizationError::Scopes`] when `scopes` holds the bare `launch`, which only an EHR launch may ask for, or
    /// none at all: SMART requires the parameter.
    pub fn standalone(
        server: AuthorizationServer,
        client_id: ClientId,
        redirect_uri: RedirectUri,
        mut scopes: Scopes,
    ) -> Result<Self, AuthorizationError> {
        if scopes.is_empty() {
            return Err(AuthorizationError::Scopes("an app asks for at least one scope, such as `launch/patient`"));
        }
        if scopes.iter().any(is_bare_launch) {
            return Err(AuthorizationError::Scopes(
                "the scope `launch` belongs to an EHR launch; a standalone launch asks for `launch/patient` or `launch/encounter`",
            ));
        }
        if scopes.resources().any(|scope| scope.level() == Level::Patient) {
            scopes.insert(Scope::LAUNCH_PATIENT);
        }
        Ok(Self::new(server, client_id, redirect_uri, scopes, None))
    }

    /// An EHR launch: the request carries the launch value unchanged, and the scope `launch` is added where missing,
    /// as is `openid` where `fhirUser` is asked for.
    /// The `aud` is the `iss` of the launch, byte for byte, whatever spelling `server` was discovered under.
    ///
    /// # Errors
    /// [`AuthorizationError::OtherServer`] when `server` is not the server that launched the app.
    pub fn ehr(
        mut server: AuthorizationServer,
        launch: &EhrLaunch,
        client_id: ClientId,
        redirect_uri: RedirectUri,
        mut scopes: Scopes,
    ) -> Result<Self, AuthorizationError> {
        if &server.fhir_base != launch.iss() {
            return Err(AuthorizationError::OtherServer {
                launch: launch.iss().as_str().to_owned(),
                discovered: server.fhir_base.as_str().to_owned(),
            });
        }
        server.fhir_base = launch.iss().clone();
        scopes.insert(Scope::LAUNCH);
        Ok(Self::new(server, client_id, redirect_uri, scopes, Some(launch.launch().clone())))
    }

    fn new(
        server: AuthorizationServer,
        client_id: ClientId,
        redirect_uri: RedirectUri,
        mut scopes: Scopes,
        launch: Option<LaunchId>,
    ) -> Self {
        if scopes.contains(&Scope::FhirUser) {
            scopes.insert(Scope::OpenId);
        }
        Self {
            server,
            client_id,
            redirect_uri,
            scopes,
            launch,
            resource: false,
            extra: Vec::new(),
            lifetime: DEFAULT_LIFETIME,
        }
    }

    /// Also sends `resource` (RFC 8707) with the FHIR base. `aud` is sent all the same.
    pub fn with_resource(mut self) -> Self {
        self.resource = true;
        self
    }

    /// How long the person may take, from the request to the callback. Default: 10 minutes.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Adds a parameter that some server wants. An empty value is left out (RFC 6749, section 3.1).
    ///
    /// # Errors
    /// [`AuthorizationError`] when the name belongs to the protocol or was given before.
    pub fn with_extra(mut self, name: &str, value: &str) -> Result<Self, AuthorizationError> {
        if RESERVED.contains(&name) {
            return Err(AuthorizationError::ReservedParameter { name: name.to_owned() });
        }
        if self.extra.iter().any(|(n, _)| n == name) {
            return Err(AuthorizationError::RepeatedParameter { name: name.to_owned() });
        }
        if !value.is_empty() {
            self.extra.push((name.to_owned(), value.to_owned()));
        }
        Ok(self)
    }

    /// Draws state, verifier and nonce, and makes the request and its pending half.
    ///
    /// # Errors
    /// [`AuthorizationError::Random`] when the random source fails; [`AuthorizationError::RepeatedParameter`] when an
    /// extra parameter stands in the authorization endpoint's own query.
    pub fn build(
        &self,
        random: &dyn SecureRandom,
        now: Timestamp,
    ) -> Result<(AuthorizationRequest, PendingAuthorization), AuthorizationError> {
        let state = State::generate(random)?;
        let verifier = CodeVerifier::generate(random)?;
        let nonce = self.scopes.contains(&Scope::OpenId).then(|| Nonce::generate(random)).transpose()?;
        let parameters = self.parameters(&state, &verifier, nonce.as_ref());
        for (name, _) in self.server.authorization_endpoint.query_pairs() {
            if parameters.iter().any(|(n, _)| *n == name) {
                return Err(AuthorizationError::RepeatedParameter { name: name.into_owned() });
            }
        }
        let request = AuthorizationRequest::new(
            self.server.authorization_endpoint.clone(),
            self.server.authorize_post,
            parameters.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
        );
        let pending = PendingAuthorization::new(PendingParts {
            server: self.server.clone(),
            client_id: self.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            scopes: self.scopes.clone(),
            launch: self.launch.clone(),
            state,
            verifier,
            nonce,
            created_at: now,
            expires_at: now.saturating_add(self.lifetime),
        });
        Ok((request, pending))
    }

    fn parameters(&self, state: &State, verifier: &CodeVerifier, nonce: Option<&Nonce>) -> Vec<(&str, String)> {
        let aud = self.server.fhir_base.as_str();
        let mut parameters: Vec<(&str, String)> = vec![
            ("response_type", "code".into()),
            ("client_id", self.client_id.as_str().into()),
            ("redirect_uri", self.redirect_uri.as_str().into()),
        ];
        if let Some(launch) = &self.launch {
            parameters.push(("launch", launch.expose_secret().into()));
        }
        parameters.push(("scope", self.scopes.to_string()));
        parameters.push(("state", state.expose_secret().into()));
        parameters.push(("aud", aud.into()));
        if self.resource {
            parameters.push(("resource", aud.into()));
        }
        if let Some(nonce) = nonce {
            parameters.push(("nonce", nonce.expose_secret().into()));
        }
        parameters.push(("code_challenge", verifier.challenge().as_str().into()));
        parameters.push(("code_challenge_method", CodeChallenge::METHOD.into()));
        parameters.extend(self.extra.iter().map(|(n, v)| (n.as_str(), v.clone())));
        parameters
    }
}

fn is_bare_launch(scope: &Scope) -> bool {
    *scope == Scope::LAUNCH
}
