//! What a client does with a profile.

use super::preferences::Preferences;
use super::relaxations::{KnownEndpoints, Relaxations};
use crate::discovery::{DiscoveryPolicy, EndpointOverrides, S256Policy};

/// The settings that a client applies at one server. The default is strict, and what SMART says.
///
/// They come from [`Recognised::settings`](super::Recognised::settings), which can only bring preferences, from
/// [`ServerProfile::choose`](super::ServerProfile::choose), or are put together by hand for a server of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerSettings {
    preferences: Preferences,
    relaxations: Relaxations,
    overrides: EndpointOverrides,
}

impl ServerSettings {
    /// Preferences alone.
    pub(super) fn preferred(preferences: Preferences) -> Self {
        Self { preferences, ..Self::default() }
    }

    /// Preferences and relaxations.
    pub(super) fn chosen(preferences: Preferences, relaxations: Relaxations) -> Self {
        Self { preferences, relaxations, overrides: relaxations.endpoints.overrides() }
    }

    /// Other preferences.
    pub fn with_preferences(mut self, preferences: Preferences) -> Self {
        self.preferences = preferences;
        self
    }

    /// Endpoints that stand in for the server's own: codes, secrets and tokens go there. They replace those of the
    /// profile.
    pub fn with_overrides(mut self, overrides: EndpointOverrides) -> Self {
        self.relaxations.endpoints = KnownEndpoints::Published;
        self.overrides = overrides;
        self
    }

    /// Accepts a server that lists its PKCE methods without S256. S256 is sent all the same.
    ///
    /// Dangerous where a server takes part in no PKCE: a code that is stolen on its way can then be redeemed.
    pub fn dangerous_unlisted_s256(mut self) -> Self {
        self.relaxations.unlisted_s256 = true;
        self
    }

    /// Accepts an ID token whose issuer differs from the discovered one by one slash at its end.
    ///
    /// Dangerous where one host serves issuers that differ in that slash.
    pub fn dangerous_issuer_trailing_slash(mut self) -> Self {
        self.relaxations.issuer_trailing_slash = true;
        self
    }

    /// Does not look at ID tokens that come with renewals.
    ///
    /// Dangerous where a server might answer a refresh with another person's token: nothing would tell.
    pub fn dangerous_ignore_renewed_id_tokens(mut self) -> Self {
        self.relaxations.renewed_id_token_ignored = true;
        self
    }

    /// How the server likes requests to be written.
    pub fn preferences(&self) -> &Preferences {
        &self.preferences
    }

    /// The checks that are less strict.
    pub fn relaxations(&self) -> &Relaxations {
        &self.relaxations
    }

    /// The endpoints that stand in for the server's own.
    pub fn overrides(&self) -> &EndpointOverrides {
        &self.overrides
    }

    /// Whether every check is made as by default, and every endpoint is the server's own.
    pub fn is_strict(&self) -> bool {
        self.relaxations.is_none() && self.overrides.is_empty()
    }

    /// `policy` with what the relaxations say of PKCE; the strict ones leave it as it is.
    pub fn discovery_policy(&self, policy: DiscoveryPolicy) -> DiscoveryPolicy {
        if self.relaxations.unlisted_s256 { policy.s256(S256Policy::Unchecked) } else { policy }
    }
}
