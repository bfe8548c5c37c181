//! Scopes as URIs, for places that need those (SMART, appendix on the URI representation of scopes).

use super::scopes::Scopes;
use super::token::Scope;

const SMART: &str = "http://smarthealthit.org/fhir/scopes/";
const OPENID_CONNECT: &str = "http://openid.net/specs/openid-connect-core-1_0#";

/// Scopes that OpenID Connect defines and SMART does not mention.
const OPENID_ONLY: [&str; 3] = ["email", "address", "phone"];

impl Scope {
    /// The scope as a URI: one of SMART or of OpenID Connect with the prefix for it, any other unchanged.
    pub fn to_uri(&self) -> String {
        let prefix = match self {
            Self::OpenId | Self::Profile => OPENID_CONNECT,
            Self::Other(scope) if OPENID_ONLY.contains(&scope.as_str()) => OPENID_CONNECT,
            Self::Other(_) => "",
            _ => SMART,
        };
        format!("{prefix}{self}")
    }

    /// The scope that a URI stands for, or `None` when it is not the URI form of a legal scope.
    ///
    /// `offline_access`, which both SMART and OpenID Connect define, is read with either prefix.
    pub fn from_uri(uri: &str) -> Option<Self> {
        if let Some(rest) = uri.strip_prefix(SMART) {
            return rest.parse().ok().filter(|scope| !matches!(scope, Self::Other(_) | Self::OpenId | Self::Profile));
        }
        let scope: Self = uri.strip_prefix(OPENID_CONNECT)?.parse().ok()?;
        match &scope {
            Self::OpenId | Self::Profile | Self::OfflineAccess => Some(scope),
            Self::Other(other) if OPENID_ONLY.contains(&other.as_str()) => Some(scope),
            _ => None,
        }
    }
}

impl Scopes {
    /// All scopes in URI form, in order.
    pub fn to_uris(&self) -> Vec<String> {
        self.iter().map(Scope::to_uri).collect()
    }

    /// The set with each scope that is in URI form replaced by the scope that it stands for; others stay.
    #[must_use]
    pub fn from_uri_form(&self) -> Self {
        self.iter().map(|scope| Scope::from_uri(scope.as_str()).unwrap_or_else(|| scope.clone())).collect()
    }
}
