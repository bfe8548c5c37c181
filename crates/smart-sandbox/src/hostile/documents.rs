//! Lies in JSON documents.

use super::wire::{MOST, rebuilt};
use super::{Draw, Lie};
use axum::response::Response;
use serde_json::{Map, Value, json};

/// How many keys are too many.
const MANY: usize = 10_000;
/// How long a token can be and still be absurd, in octets.
const HUGE: usize = 1024 * 1024;

pub(super) async fn spoil(draw: Draw, response: Response) -> Response {
    let status = response.status();
    let headers = response.headers().clone();
    let body = axum::body::to_bytes(response.into_body(), MOST).await.unwrap_or_default();
    let Ok(Value::Object(mut object)) = serde_json::from_slice(&body) else { return rebuilt(status, headers, body) };
    spoil_object(draw, &mut object);
    rebuilt(status, headers, Value::Object(object).to_string().into())
}

fn spoil_object(mut draw: Draw, object: &mut Map<String, Value>) {
    let elsewhere = draw.elsewhere.clone();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    match draw.lie {
        Lie::KeysElsewhere => put("jwks_uri", format!("{elsewhere}/jwks").into()),
        Lie::OtherIssuer => put("issuer", elsewhere.into()),
        Lie::PlainPkceOnly => put("code_challenge_methods_supported", json!(["plain"])),
        Lie::ScriptEndpoint => put("authorization_endpoint", "javascript:alert(1)".into()),
        Lie::NoTokenEndpoint => drop(object.remove("token_endpoint")),
        Lie::NoKeys => put("keys", json!([])),
        Lie::SymmetricKey => put("keys", json!([{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "k"}])),
        Lie::ManyKeys => {
            if let Some(Value::Array(keys)) = object.get_mut("keys") {
                let first = keys.first().cloned().unwrap_or_default();
                keys.resize(MANY, first);
            }
        }
        Lie::NoAccessToken => drop(object.remove("access_token")),
        Lie::TokenWithLineBreak => put("access_token", "token\r\nX-Another: header".into()),
        Lie::HugeToken => put("access_token", "t".repeat(HUGE).into()),
        Lie::OtherTokenType => put("token_type", "mac".into()),
        Lie::NegativeLife => put("expires_in", (-1).into()),
        Lie::EndlessLife => put("expires_in", 1e300.into()),
        Lie::MoreScopes => put("scope", "patient/*.cruds user/*.cruds system/*.cruds launch/patient".into()),
        Lie::PatientElsewhere => put("patient", format!("{elsewhere}/fhir/Patient/p1001").into()),
        Lie::PatientPath => put("patient", "../../p1002".into()),
        Lie::NoIdToken => drop(object.remove("id_token")),
        Lie::UnsignedIdToken => alter(object, "id_token", |token| {
            token.rsplit_once('.').map(|(signed, _)| format!("{signed}.")).unwrap_or_default()
        }),
        Lie::AlteredIdToken => {
            let roll = draw.dice.below(u64::from(u32::MAX));
            alter(object, "id_token", |token| altered(token, roll));
        }
        Lie::EmptyRefreshToken => put("refresh_token", "".into()),
        Lie::OtherId => put("id", "p1002".into()),
        Lie::OtherType => put("resourceType", "Basic".into()),
        Lie::NextElsewhere => link(object, |own| format!("{elsewhere}{}", path_of(own))),
        Lie::NextItself => link(object, str::to_owned),
        _ => {}
    }
}

fn alter(object: &mut Map<String, Value>, name: &str, change: impl FnOnce(&str) -> String) {
    let changed = object.get(name).and_then(Value::as_str).map(change);
    if let Some(changed) = changed {
        object.insert(name.to_owned(), changed.into());
    }
}

/// The token with another letter somewhere. The last letter of a part is left alone: some of its bits may mean nothing.
fn altered(token: &str, roll: u64) -> String {
    let mut letters: Vec<char> = token.chars().collect();
    let ends = |index: usize| matches!(letters.get(index + 1), None | Some('.'));
    let inner: Vec<usize> =
        (0..letters.len()).filter(|index| letters.get(*index) != Some(&'.') && !ends(*index)).collect();
    let chosen = usize::try_from(roll).ok().and_then(|roll| roll.checked_rem(inner.len()));
    if let Some(letter) = chosen.and_then(|at| inner.get(at)).and_then(|index| letters.get_mut(*index)) {
        *letter = if *letter == 'A' { 'B' } else { 'A' };
    }
    letters.into_iter().collect()
}

/// Gives a Bundle a next page, made of its own URL.
fn link(object: &mut Map<String, Value>, next: impl FnOnce(&str) -> String) {
    if object.get("resourceType").and_then(Value::as_str) != Some("Bundle") {
        return;
    }
    let relation = |link: &Value| link.get("relation").and_then(Value::as_str).unwrap_or_default().to_owned();
    let links = object.entry("link").or_insert_with(|| json!([]));
    let Value::Array(links) = links else { return };
    let own = links.iter().find(|link| relation(link) == "self");
    let own = own.and_then(|link| link.get("url")).and_then(Value::as_str).unwrap_or("/").to_owned();
    links.retain(|link| relation(link) != "next");
    links.push(json!({"relation": "next", "url": next(&own)}));
}

/// Path and query of a URL.
fn path_of(url: &str) -> String {
    url::Url::parse(url).map_or_else(
        |_| url.to_owned(),
        |url| format!("{}{}", url.path(), url.query().map(|query| format!("?{query}")).unwrap_or_default()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_altered_token_differs_in_one_letter() {
        let token = "eyJh.eyJpc3M.c2ln";
        for roll in 0..50 {
            let other = altered(token, roll);
            assert_eq!(token.chars().zip(other.chars()).filter(|(a, b)| a != b).count(), 1, "{other}");
            assert_eq!(other.matches('.').count(), 2);
        }
    }
}
