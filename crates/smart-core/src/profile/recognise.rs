//! Telling a server by its FHIR base URL.

use super::kind::ServerKind;
use super::settings::ServerSettings;
use super::table::{ServerProfile, profiles};
use crate::fhir_base::FhirBaseUrl;

/// What the base URLs of one kind of server look like. All that is given has to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BasePattern {
    /// The host, or what it ends with when this begins with a dot.
    pub(super) host: &'static str,
    /// What the first label of the host is; empty for any.
    pub(super) first_label: &'static str,
    /// What the path contains; empty for any.
    pub(super) path: &'static str,
}

impl BasePattern {
    pub(super) const fn host(host: &'static str) -> Self {
        Self { host, first_label: "", path: "" }
    }

    /// Any host: told by the path alone.
    pub(super) const fn any_host(path: &'static str) -> Self {
        Self { host: "", first_label: "", path }
    }

    pub(super) const fn with_path(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    pub(super) const fn with_first_label(self, first_label: &'static str) -> Self {
        Self { first_label, ..self }
    }

    fn fits(self, base: &FhirBaseUrl) -> bool {
        // The URL parser has put the host into lower case.
        let host = base.url().host_str().unwrap_or_default().trim_end_matches('.');
        let host_fits = if self.host.starts_with('.') {
            host.ends_with(self.host)
        } else {
            self.host.is_empty() || host == self.host
        };
        let label_fits = self.first_label.is_empty() || host.split('.').next() == Some(self.first_label);
        // With a slash at its end, a whole last segment can be asked for.
        let path = format!("{}/", base.url().path().trim_end_matches('/'));
        host_fits && label_fits && path.contains(self.path)
    }
}

/// A server that looks like one of the table, by its URL alone.
///
/// It gives [`settings`](Self::settings) without any relaxation. There is no way from here to a [`ServerKind`]: a
/// choice has to come from elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Recognised(&'static ServerProfile);

impl Recognised {
    /// What the server looks like, for people.
    pub fn title(&self) -> &'static str {
        self.0.title
    }

    /// Whether it looks like this kind.
    pub fn is(&self, kind: ServerKind) -> bool {
        self.0.kind == kind
    }

    /// What is known about such servers, for people.
    pub fn notes(&self) -> &'static [&'static str] {
        self.0.notes
    }

    /// The preferences of such servers. They are strict whatever the profile says: a host name proves nothing.
    pub fn settings(&self) -> ServerSettings {
        ServerSettings::preferred(self.0.preferences)
    }
}

impl ServerProfile {
    /// Tells a server by its FHIR base URL. `None`: it looks like none of the table.
    pub fn recognise(base: &FhirBaseUrl) -> Option<Recognised> {
        profiles().iter().find(|profile| profile.bases.iter().any(|pattern| pattern.fits(base))).map(Recognised)
    }
}
