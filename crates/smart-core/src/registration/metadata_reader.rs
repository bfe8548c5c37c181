//! Reading metadata: one reader for servers, which refuse what cannot be read, and for clients, which report it.

use super::client_keys::{ClientKeys, JwksUrl};
use super::error::MetadataError;
use super::grant_type::GrantType;
use super::key_set::PublicKeySet;
use super::metadata::ClientMetadata;
use crate::discovery::AuthMethod;
use crate::redirect_uri::RedirectUri;
use crate::scope::Scopes;
use crate::url_policy::UrlPolicy;
use serde_json::{Map, Value};
use url::Url;

/// Reads metadata out of an object. A member that is `null` or an empty text is an absent one; one that cannot be read
/// is named in the list and stays in `other`.
pub(super) fn read(object: Map<String, Value>, policy: UrlPolicy) -> (ClientMetadata, Vec<MetadataError>) {
    let left = object.into_iter().filter(|(_, value)| !value.is_null() && value.as_str() != Some("")).collect();
    let mut reader = Reader { left, policy, problems: Vec::new() };
    let mut metadata = ClientMetadata {
        redirect_uris: reader.take("redirect_uris", redirect_uris).unwrap_or_default(),
        token_endpoint_auth_method: reader.take("token_endpoint_auth_method", |v| text(v).map(AuthMethod::from)),
        grant_types: reader.take("grant_types", |v| Ok(texts(v)?.into_iter().map(GrantType::from).collect())),
        response_types: reader.take("response_types", owned_texts),
        client_name: reader.take("client_name", owned_text),
        client_uri: reader.take("client_uri", page),
        logo_uri: reader.take("logo_uri", page),
        scope: reader.take("scope", |v| text(v)?.parse::<Scopes>().map_err(|e| format!("is no list of scopes: {e}"))),
        contacts: reader.take("contacts", owned_texts).unwrap_or_default(),
        tos_uri: reader.take("tos_uri", page),
        policy_uri: reader.take("policy_uri", page),
        keys: reader.keys(),
        software_id: reader.take("software_id", owned_text),
        software_version: reader.take("software_version", owned_text),
        software_statement: reader.take("software_statement", owned_text),
        initiate_login_uri: reader.take("initiate_login_uri", |v| checked(v, policy)),
        application_type: reader.take("application_type", owned_text),
        other: Map::new(),
    };
    metadata.other = reader.left;
    (metadata, reader.problems)
}

struct Reader {
    left: Map<String, Value>,
    policy: UrlPolicy,
    problems: Vec<MetadataError>,
}

impl Reader {
    fn take<T>(&mut self, member: &str, read: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        match read(self.left.get(member)?) {
            Ok(value) => {
                self.left.shift_remove(member);
                Some(value)
            }
            Err(problem) => {
                self.problems.push(MetadataError::new(member, problem));
                None
            }
        }
    }

    fn keys(&mut self) -> Option<ClientKeys> {
        let policy = self.policy;
        let url = self.take("jwks_uri", |value| {
            JwksUrl::parse_with(text(value)?, policy).map(ClientKeys::Url).map_err(|e| format!("may not be used: {e}"))
        });
        if url.is_some() && self.left.contains_key("jwks") {
            self.problems.push(MetadataError::new("jwks", "must not stand beside `jwks_uri` (RFC 7591, section 2)"));
            return url;
        }
        url.or_else(|| {
            self.take("jwks", |value| {
                PublicKeySet::from_value(value.clone())
                    .map(ClientKeys::Document)
                    .map_err(|e| format!("is refused: {e}"))
            })
        })
    }
}

fn redirect_uris(value: &Value) -> Result<Vec<RedirectUri>, String> {
    texts(value)?
        .into_iter()
        .map(|text| RedirectUri::parse(text).map_err(|e| format!("has one that may not be used: {e}")))
        .collect()
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "is not a string".to_owned())
}

fn owned_text(value: &Value) -> Result<String, String> {
    text(value).map(str::to_owned)
}

fn texts(value: &Value) -> Result<Vec<&str>, String> {
    let texts = value.as_array().and_then(|items| items.iter().map(Value::as_str).collect::<Option<_>>());
    texts.ok_or_else(|| "is not a list of strings".to_owned())
}

fn owned_texts(value: &Value) -> Result<Vec<String>, String> {
    Ok(texts(value)?.into_iter().map(str::to_owned).collect())
}

fn checked(value: &Value, policy: UrlPolicy) -> Result<Url, String> {
    policy.parse(text(value)?).map_err(|e| format!("may not be used: {e}"))
}

/// A page for people to look at: it carries no secret, so plain http is let through.
fn page(value: &Value) -> Result<Url, String> {
    let url = Url::parse(text(value)?).map_err(|e| format!("is no absolute URL: {e}"))?;
    let is_page = matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none();
    if is_page { Ok(url) } else { Err("is no https or http URL without credentials".to_owned()) }
}
