//! What a page says of its app.

use serde::Deserialize;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::AllowedIssuers;
use smart_core::redirect_uri::{RedirectUri, RedirectUriError};
use smart_core::scope::{ScopeError, Scopes};
use smart_core::url_policy::{UrlError, UrlPolicy};

/// What a page says of its app, checked.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// The client id, as it is registered. A page is a public client: it has no secret.
    pub client_id: String,
    /// The scopes to ask for.
    pub scopes: Scopes,
    /// Where the browser comes back to.
    pub redirect_uri: RedirectUri,
    /// The FHIR server of a standalone launch.
    pub iss: Option<FhirBaseUrl>,
    /// The FHIR servers that may launch the app: those of the option `allowedIssuers`, and `iss`.
    pub allowed: AllowedIssuers,
    /// Whether plain http is accepted on loopback hosts.
    pub url_policy: UrlPolicy,
    /// The name of the IndexedDB database in which sessions are kept. Default: `smart-on-fhir`.
    pub database: String,
}

/// Why options are of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// They are no JSON object with the members that are known.
    #[error("the options cannot be used: {0}")]
    Form(String),
    /// They hold a secret, which every visitor of the page could read.
    #[error(
        "the options hold `{name}`, and a page cannot keep a secret: register the app as a public client, or keep its tokens on a server"
    )]
    Secret {
        /// The option.
        name: String,
    },
    /// The client id is missing.
    #[error("the option `clientId` is missing; it is the id that the server gave the app at registration")]
    ClientId,
    /// A scope is illegal.
    #[error("the option `scope`: {0}")]
    Scope(#[from] ScopeError),
    /// The redirect URI is not one that may be used.
    #[error("the option `redirectUri`: {0}")]
    RedirectUri(#[from] RedirectUriError),
    /// A FHIR server's URL is not one that may be used.
    #[error("the option `{option}`: {source}")]
    Server {
        /// `iss` or `allowedIssuers`.
        option: &'static str,
        /// Why.
        source: UrlError,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Given {
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    scope: String,
    redirect_uri: String,
    iss: Option<String>,
    #[serde(default)]
    allowed_issuers: Vec<String>,
    #[serde(default)]
    allow_loopback_http: bool,
    database: Option<String>,
}

/// Options of `fhirclient` by which a page would hold a secret.
const SECRETS: [&str; 4] = ["clientSecret", "client_secret", "clientPrivateJwk", "privateKey"];

impl AppOptions {
    /// Reads options: a JSON object with `clientId`, `scope`, `redirectUri` (absolute), and perhaps `iss`, `allowedIssuers`,
    /// `allowLoopbackHttp` and `database`.
    ///
    /// # Errors
    /// [`OptionsError`].
    pub fn parse(json: &str) -> Result<Self, OptionsError> {
        let form = |error: &serde_json::Error| OptionsError::Form(error.to_string());
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(json).map_err(|error| form(&error))?;
        if let Some(name) = SECRETS.into_iter().find(|name| object.contains_key(*name)) {
            return Err(OptionsError::Secret { name: name.to_owned() });
        }
        let given: Given = serde_json::from_value(object.into()).map_err(|error| form(&error))?;
        if given.client_id.is_empty() {
            return Err(OptionsError::ClientId);
        }
        let url_policy = if given.allow_loopback_http { UrlPolicy::AllowLoopbackHttp } else { UrlPolicy::HttpsOnly };
        let server = |option, url: &str| {
            FhirBaseUrl::parse_with(url, url_policy).map_err(|source| OptionsError::Server { option, source })
        };
        let iss = given.iss.as_deref().map(|url| server("iss", url)).transpose()?;
        let listed = given.allowed_issuers.iter().map(|url| server("allowedIssuers", url));
        let allowed = listed.collect::<Result<Vec<_>, _>>()?.into_iter().chain(iss.clone());
        Ok(Self {
            scopes: given.scope.parse()?,
            redirect_uri: RedirectUri::parse(&given.redirect_uri)?,
            allowed: AllowedIssuers::only(allowed),
            client_id: given.client_id,
            database: given.database.unwrap_or_else(|| "smart-on-fhir".to_owned()),
            iss,
            url_policy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(more: &str) -> Result<AppOptions, OptionsError> {
        AppOptions::parse(&format!(r#"{{"clientId":"my-app","redirectUri":"https://app.example/"{more}}}"#))
    }

    /// A page that says little has the defaults, and no server may launch it.
    #[test]
    fn defaults_allow_nobody() {
        let options = parsed("").unwrap();
        let anybody = FhirBaseUrl::parse("https://ehr.example/fhir").unwrap();
        assert!(options.allowed.check(&anybody).is_err());
        assert_eq!((options.url_policy, options.database.as_str()), (UrlPolicy::HttpsOnly, "smart-on-fhir"));
    }

    /// The server of the standalone launch may launch the app too, and so may those on the list.
    #[test]
    fn listed_servers_may_launch() {
        let options =
            parsed(r#","iss":"https://one.example/fhir","allowedIssuers":["https://two.example/r4/"]"#).unwrap();
        for (server, may) in [("one.example/fhir", true), ("two.example/r4", true), ("three.example/r4", false)] {
            let server = FhirBaseUrl::parse(&format!("https://{server}")).unwrap();
            assert_eq!(options.allowed.check(&server).is_ok(), may, "{server:?}");
        }
    }

    /// A secret in a page is none: such options are refused, whatever else they say.
    #[test]
    fn secrets_are_refused() {
        for name in SECRETS {
            let refused = parsed(&format!(r#","{name}":"s3cret""#)).unwrap_err();
            assert_eq!(refused, OptionsError::Secret { name: name.to_owned() });
            assert!(!refused.to_string().contains("s3cret"));
        }
    }

    /// What cannot be used says which option it is.
    #[test]
    fn bad_options_are_named() {
        assert_eq!(parsed(r#","clientId":"""#).unwrap_err(), OptionsError::ClientId);
        for (more, named) in [
            (r#","iss":"http://ehr.example/fhir""#, "iss"),
            (r#","iss":"http://127.0.0.1:9/fhir""#, "iss"),
            (r#","allowedIssuers":["nonsense"]"#, "allowedIssuers"),
            (r#","scope":"patient/*.sr""#, "scope"),
            (r#","pkceMode":"disabled""#, "pkceMode"),
        ] {
            let refused = parsed(more).unwrap_err().to_string();
            assert!(refused.contains(named), "{refused}");
        }
        assert!(parsed(r#","iss":"http://127.0.0.1:9/fhir","allowLoopbackHttp":true"#).is_ok());
        assert!(matches!(
            AppOptions::parse(r#"{"clientId":"a","redirectUri":"http://app.example/"}"#),
            Err(OptionsError::RedirectUri(RedirectUriError::NotHttps { .. }))
        ));
        assert_eq!(AppOptions::parse(r#"{"redirectUri":"https://app.example/"}"#).unwrap_err(), OptionsError::ClientId);
    }
}
