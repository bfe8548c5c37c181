//! What the app, or a table, says of single servers.

use crate::client::Inner;
use smart_core::discovery::{Discovered, DiscoveryOptions};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::profile::{ServerProfile, ServerSettings};
use smart_core::scope::{Scopes, Syntax, Widening};
use smart_core::time::Timestamp;
use smart_core::token::{BasicEncoding, ClientIdInBody, RefreshScope, TokenResponse};
use std::collections::HashMap;

/// Settings by server.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerRules {
    by_base: HashMap<String, ServerSettings>,
    all: Option<ServerSettings>,
    unrecognised: bool,
}

impl ServerRules {
    pub(crate) fn set(&mut self, base: &FhirBaseUrl, settings: ServerSettings) {
        self.by_base.insert(base.normalised().to_owned(), settings);
    }

    pub(crate) fn set_all(&mut self, settings: ServerSettings) {
        self.all = Some(settings);
    }

    pub(crate) fn do_not_recognise(&mut self) {
        self.unrecognised = true;
    }

    /// The settings of a server: the app's for it, else the app's for all, else what its URL tells, which is never a
    /// relaxation.
    pub(crate) fn of(&self, base: &FhirBaseUrl) -> ServerSettings {
        let chosen = self.by_base.get(base.normalised()).or(self.all.as_ref());
        match chosen {
            Some(settings) => settings.clone(),
            None if self.unrecognised => ServerSettings::default(),
            None => ServerProfile::recognise(base).map(|known| known.settings()).unwrap_or_default(),
        }
    }
}

impl Inner {
    pub(crate) fn settings(&self, base: &FhirBaseUrl) -> ServerSettings {
        self.servers.of(base)
    }

    /// How this server is discovered. What the app said for all servers comes first.
    pub(crate) fn discovery_options(&self, base: &FhirBaseUrl) -> DiscoveryOptions {
        let settings = self.settings(base);
        let mut options = self.discovery.clone();
        options.policy = settings.discovery_policy(options.policy);
        if options.overrides.is_empty() {
            options.overrides = settings.overrides().clone();
        }
        options
    }

    /// The app's scopes in the syntax that the server knows, where they mean the same in it (requirement SC-29).
    pub(crate) fn scopes_for(&self, server: &Discovered, scopes: &Scopes) -> Scopes {
        let settings = self.settings(&server.fhir_base);
        let preferences = settings.preferences();
        let wanted = match preferences.scope_syntax(&server.configuration) {
            _ if self.app.scopes_as_written => scopes.clone(),
            None => scopes.clone(),
            Some(Syntax::V2) => scopes.to_v2(),
            Some(Syntax::V1) => scopes.to_v1(Widening::Refuse).unwrap_or_else(|error| {
                tracing::warn!(%error, "the server knows the scopes of SMART 1 only; they are asked for as they are");
                scopes.clone()
            }),
        };
        for objection in preferences.objections(&wanted) {
            tracing::warn!(%objection, fhir_base = %server.fhir_base, "scopes");
        }
        wanted
    }

    pub(crate) fn id_in_body(&self, base: &FhirBaseUrl) -> ClientIdInBody {
        let preferred = self.settings(base).preferences().client_id_in_body;
        let always = [preferred, self.app.id_in_body].contains(&ClientIdInBody::Always);
        if always { ClientIdInBody::Always } else { ClientIdInBody::AsSpecified }
    }

    pub(crate) fn basic_encoding(&self, base: &FhirBaseUrl, of_app: BasicEncoding) -> BasicEncoding {
        match self.settings(base).preferences().basic_encoding {
            BasicEncoding::FormEncoded => of_app,
            BasicEncoding::Raw => BasicEncoding::Raw,
        }
    }

    pub(crate) fn refresh_scope(&self, base: &FhirBaseUrl) -> RefreshScope {
        match &self.app.refresh_scope {
            RefreshScope::Omit => self.settings(base).preferences().refresh_scope(),
            of_app => of_app.clone(),
        }
    }

    /// When a token ends: as the server says, else as is known of such servers.
    pub(crate) fn end_of(&self, base: &FhirBaseUrl, token: &TokenResponse) -> Option<Timestamp> {
        let unsaid = || {
            let life = self.settings(base).preferences().life_if_unsaid.or(self.life_if_unsaid)?;
            Some(token.received_at.saturating_add(life))
        };
        token.expires_at().or_else(unsaid)
    }
}
