//! Lies in the redirect back to the app.

use super::{Draw, Lie};
use axum::response::Response;
use http::HeaderValue;
use http::header::LOCATION;
use url::Url;

pub(super) fn spoil(draw: &Draw, mut response: Response) -> Response {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let Some(url) = location.and_then(|location| Url::parse(location).ok()) else { return response };
    let spoilt = spoilt(draw, url);
    if let Ok(value) = HeaderValue::from_str(spoilt.as_str()) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

fn spoilt(draw: &Draw, mut url: Url) -> Url {
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    match draw.lie {
        Lie::NoState => pairs.retain(|(name, _)| name != "state"),
        Lie::OtherState => replace(&mut pairs, "state", "another-state"),
        Lie::CallbackIssuer => replace(&mut pairs, "iss", &draw.elsewhere),
        Lie::TwoCodes => pairs.push(("code".to_owned(), "another-code".to_owned())),
        Lie::CodeAndError => pairs.push(("error".to_owned(), "access_denied".to_owned())),
        Lie::OtherCode => replace(&mut pairs, "code", "another-code"),
        Lie::TokenInCallback => {
            pairs.push(("access_token".to_owned(), "another-token".to_owned()));
            pairs.push(("token_type".to_owned(), "Bearer".to_owned()));
        }
        _ => {}
    }
    url.query_pairs_mut().clear().extend_pairs(&pairs);
    url
}

fn replace(pairs: &mut Vec<(String, String)>, name: &str, value: &str) {
    pairs.retain(|(other, _)| other != name);
    pairs.push((name.to_owned(), value.to_owned()));
}
