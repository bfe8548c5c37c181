//! Secrets on a screen: masked, unless the person asks to see them.

use serde_json::Value;
use url::Url;

/// Whether secrets are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reveal {
    /// Only that there is one, and how long it is.
    Masked,
    /// In the clear: `--reveal`.
    Shown,
}

impl Reveal {
    /// What `--reveal` asks for.
    pub(crate) fn from_flag(reveal: bool) -> Self {
        if reveal { Self::Shown } else { Self::Masked }
    }
}

/// Query parameters whose values are secrets, or good for one use.
const SECRET_PARAMETERS: &[&str] = &[
    "access_token",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "id_token",
    "id_token_hint",
    "launch",
    "nonce",
    "refresh_token",
    "state",
    "token",
];

/// A secret as it is shown. The mask does not tell any of its characters.
pub(crate) fn secret(value: &str, reveal: Reveal) -> String {
    match reveal {
        Reveal::Shown => value.to_owned(),
        Reveal::Masked => format!("***** ({} characters)", value.chars().count()),
    }
}

/// A JSON value as it is shown: members with the names of secrets are masked, however deep they lie.
pub(crate) fn json(value: Value, reveal: Reveal) -> Value {
    match value {
        Value::Object(members) if reveal == Reveal::Masked => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let is_secret = SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str());
                    let shown = if is_secret { "*****".into() } else { json(value, reveal) };
                    (name, shown)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| json(item, reveal)).collect()),
        other => other,
    }
}

/// A URL as it is shown: password and the values of secret parameters are masked.
pub(crate) fn url(url: &Url, reveal: Reveal) -> String {
    if reveal == Reveal::Shown {
        return url.to_string();
    }
    let mut shown = url.clone();
    if shown.password().is_some() {
        // It fails only on URLs that cannot have a password.
        let _ = shown.set_password(Some("*****"));
    }
    if let Some(query) = url.query() {
        shown.set_query(Some(&masked_query(query)));
    }
    shown.to_string()
}

fn masked_query(query: &str) -> String {
    let masked: Vec<String> = query
        .split('&')
        .map(|pair| {
            let name = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.to_ascii_lowercase());
            match (name, pair.split_once('=')) {
                (Some(name), Some((raw, _))) if SECRET_PARAMETERS.contains(&name.as_str()) => format!("{raw}=*****"),
                _ => pair.to_owned(),
            }
        })
        .collect();
    masked.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-05 (SMART, App protection): a masked secret shows none of its characters.
    #[test]
    fn masked_secrets_show_nothing_of_themselves() {
        assert_eq!(secret("hunter2", Reveal::Masked), "***** (7 characters)");
        assert_eq!(secret("hunter2", Reveal::Shown), "hunter2");
    }

    /// SE-05 (SMART, App protection): secret parameters of a URL are masked, however their names are written; the rest stays as it is.
    #[test]
    fn secret_parameters_are_masked() {
        let given = Url::parse("https://u:pw@as.example/authorize?client_id=a&State=s3cret&%63ode=c0de&scope=openid+x")
            .unwrap();
        let shown = url(&given, Reveal::Masked);
        assert_eq!(shown, "https://u:*****@as.example/authorize?client_id=a&State=*****&%63ode=*****&scope=openid+x");
        assert_eq!(url(&given, Reveal::Shown), given.as_str());
    }

    /// SE-05 (SMART, App protection): secrets that a server put into an answer beside what belongs there are masked.
    #[test]
    fn secret_members_are_masked() {
        let given =
            serde_json::json!({"patient": "p1", "other": {"Access_Token": "s3cret", "list": [{"id_token": {"a": 1}}]}});
        let shown = json(given.clone(), Reveal::Masked);
        assert_eq!(shown["patient"], "p1");
        assert_eq!(shown["other"], serde_json::json!({"Access_Token": "*****", "list": [{"id_token": "*****"}]}));
        assert_eq!(json(given.clone(), Reveal::Shown), given);
    }

    /// A URL without a query gets none.
    #[test]
    fn plain_urls_stay_as_they_are() {
        let given = Url::parse("https://as.example/fhir").unwrap();
        assert_eq!(url(&given, Reveal::Masked), given.as_str());
    }
}
