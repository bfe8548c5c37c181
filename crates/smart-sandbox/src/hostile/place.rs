//! Which answer it is, and so which lies can be told of it.

use super::lie::Lie;
use crate::shared::Shared;
use axum::response::Response;
use http::header::{CONTENT_TYPE, LOCATION};

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Discovery,
    Keys,
    /// A redirect that leads back to the app.
    Callback,
    /// A page for the person.
    Page,
    Token,
    Resource,
    Other,
}

impl Place {
    pub(super) fn of(shared: &Shared, path: &str, response: &Response) -> Self {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let paths = &shared.quirks.paths;
        let location = header(LOCATION);
        if !location.is_empty() && !location.starts_with('/') && !location.starts_with(&shared.origin) {
            return Self::Callback;
        }
        if path.starts_with("/auth/") && (!location.is_empty() || header(CONTENT_TYPE).starts_with("text/html")) {
            return Self::Page;
        }
        let fhir = path.strip_prefix(paths.fhir.as_str());
        if path == paths.token {
            Self::Token
        } else if path == paths.keys {
            Self::Keys
        } else if path.contains("/.well-known/") {
            Self::Discovery
        } else if fhir.is_some_and(|rest| rest != "/metadata") {
            Self::Resource
        } else {
            Self::Other
        }
    }

    pub(super) fn takes(self, lie: Lie) -> bool {
        if lie.is_of_the_wire() {
            // A person whose browser shows a broken page gives up: nothing of it reaches the app.
            return !matches!(self, Self::Callback | Self::Page);
        }
        let own: &[Lie] = match self {
            Self::Discovery => {
                &[Lie::KeysElsewhere, Lie::OtherIssuer, Lie::NoTokenEndpoint, Lie::PlainPkceOnly, Lie::ScriptEndpoint]
            }
            Self::Keys => &[Lie::NoKeys, Lie::SymmetricKey, Lie::ManyKeys],
            Self::Callback => &[
                Lie::NoState,
                Lie::OtherState,
                Lie::CallbackIssuer,
                Lie::TwoCodes,
                Lie::CodeAndError,
                Lie::OtherCode,
                Lie::TokenInCallback,
            ],
            Self::Token => &[
                Lie::NoAccessToken,
                Lie::TokenWithLineBreak,
                Lie::HugeToken,
                Lie::OtherTokenType,
                Lie::NegativeLife,
                Lie::EndlessLife,
                Lie::MoreScopes,
                Lie::PatientElsewhere,
                Lie::PatientPath,
                Lie::NoIdToken,
                Lie::UnsignedIdToken,
                Lie::AlteredIdToken,
                Lie::EmptyRefreshToken,
            ],
            Self::Resource => &[Lie::OtherId, Lie::OtherType, Lie::NextElsewhere, Lie::NextItself],
            Self::Page | Self::Other => &[],
        };
        own.contains(&lie)
    }
}
