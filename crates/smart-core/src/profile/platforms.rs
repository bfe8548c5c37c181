//! The endpoints of platforms whose FHIR servers do not publish them.

use crate::discovery::{Endpoint, EndpointOverrides};
use crate::issuer::Issuer;
use url::Url;

/// Why no endpoints follow from a tenant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{tenant}` is no Microsoft Entra tenant: give its id or one of its domains")]
pub struct EntraTenantError {
    /// What was given, cut and cleaned.
    pub tenant: String,
}

/// The endpoints of a Microsoft Entra tenant (version 2.0), by its id or one of its domains: for a FHIR service of
/// Azure that is used without a SMART front. Codes and secrets then go to `login.microsoftonline.com`.
///
/// An ID token carries the issuer with the tenant's id, so a domain does for the endpoints and not for ID tokens.
///
/// # Errors
/// [`EntraTenantError`] when it is neither; the words that stand for many tenants (`common`, `organizations`,
/// `consumers`) are none, since whoever has an account there could log in.
pub fn entra_endpoints(tenant: &str) -> Result<EndpointOverrides, EntraTenantError> {
    let refused = || EntraTenantError { tenant: crate::untrusted::shown(tenant, 80) };
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_id = tenant.len() == 36
        && tenant.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && tenant.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let is_domain = tenant.contains('.') && !tenant.split('.').any(str::is_empty);
    if !(tenant.chars().all(legal) && (is_id || is_domain)) {
        return Err(refused());
    }
    let at = |path: &str| format!("https://login.microsoftonline.com/{tenant}/{path}");
    let endpoints = [
        (Endpoint::Authorization, at("oauth2/v2.0/authorize")),
        (Endpoint::Token, at("oauth2/v2.0/token")),
        (Endpoint::Jwks, at("discovery/v2.0/keys")),
    ];
    overrides(&endpoints, &at("v2.0")).ok_or_else(refused)
}

/// Google's, as its OpenID configuration has them.
pub(super) fn google_endpoints() -> EndpointOverrides {
    let endpoints = [
        (Endpoint::Authorization, "https://accounts.google.com/o/oauth2/v2/auth".to_owned()),
        (Endpoint::Token, "https://oauth2.googleapis.com/token".to_owned()),
        (Endpoint::Jwks, "https://www.googleapis.com/oauth2/v3/certs".to_owned()),
        (Endpoint::Revocation, "https://oauth2.googleapis.com/revoke".to_owned()),
    ];
    // A test shows that all of them are read.
    overrides(&endpoints, "https://accounts.google.com").unwrap_or_default()
}

fn overrides(endpoints: &[(Endpoint, String)], issuer: &str) -> Option<EndpointOverrides> {
    let mut all = EndpointOverrides::new().issuer(Issuer::parse(issuer).ok()?);
    for (endpoint, url) in endpoints {
        all = all.endpoint(*endpoint, Url::parse(url).ok()?);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-120: a tenant's endpoints follow from its id; words that stand for many tenants and paths are refused.
    #[test]
    fn entra_endpoints_are_those_of_one_tenant() {
        let id = "72f988bf-86f1-41af-91ab-2d7cd011db47";
        let endpoints = entra_endpoints(id).unwrap();
        let token = endpoints.get(Endpoint::Token).unwrap();
        assert_eq!(token.as_str(), format!("https://login.microsoftonline.com/{id}/oauth2/v2.0/token"));
        assert!(entra_endpoints("contoso.onmicrosoft.com").is_ok());
        for tenant in ["common", "organizations", "consumers", "", "a/b", "..", "x.", "evil.example/../..", "a b.c"] {
            assert!(entra_endpoints(tenant).is_err(), "{tenant}");
        }
    }

    /// F-119: Google's endpoints are all there, at Google.
    #[test]
    fn google_endpoints_are_complete() {
        let endpoints = google_endpoints();
        for endpoint in [Endpoint::Authorization, Endpoint::Token, Endpoint::Jwks, Endpoint::Revocation] {
            let host = endpoints.get(endpoint).unwrap().host_str().unwrap();
            assert!(host.ends_with(".google.com") || host.ends_with(".googleapis.com"), "{host}");
        }
    }
}
