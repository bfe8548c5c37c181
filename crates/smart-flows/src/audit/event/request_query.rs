//! What the query of a request to the FHIR API says.

use super::shape::{MASK, is_parameter_name};
use url::form_urlencoded;

/// How many parameters are shown.
const MOST_PARAMETERS: usize = 40;

/// The query with its values as `value` gives them, which gets the decoded name and the value as it stands.
pub(super) fn shown_query(query: &str, value: &dyn Fn(&str, &str) -> String) -> String {
    let mut pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut shown: Vec<String> = pairs
        .by_ref()
        .take(MOST_PARAMETERS)
        .map(|pair| match pair.split_once('=') {
            Some((name, given)) => {
                let decoded = form_urlencoded::parse(name.as_bytes()).next().map(|(name, _)| name.into_owned());
                match decoded.filter(|name| is_parameter_name(name)) {
                    Some(name) => format!("{name}={}", value(&name, given)),
                    None => format!("{MASK}={MASK}"),
                }
            }
            None => MASK.to_owned(),
        })
        .collect();
    if pairs.next().is_some() {
        shown.push(MASK.to_owned());
    }
    shown.join("&")
}

/// The URL below the base with ids and values. A parameter that is none of FHIR's form stays masked, and one that OAuth
/// uses for a secret: no opting in shows those.
pub(super) fn full(path: &str, query: Option<&str>) -> String {
    const SECRETS: &[&str] = &["code-verifier", "launch", "nonce", "state", "token"];
    let path = path.trim_start_matches('/');
    let value = |name: &str, given: &str| if SECRETS.contains(&name) { MASK.to_owned() } else { given.to_owned() };
    match query {
        Some(query) => format!("{path}?{}", shown_query(query, &value)),
        None => path.to_owned(),
    }
}
