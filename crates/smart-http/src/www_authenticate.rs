//! The `WWW-Authenticate` header: what the server wants, and why it refused.

use http::{HeaderMap, header};
use smart_core::untrusted::shown;
use std::fmt;

/// How much of all `WWW-Authenticate` headers together is read, in octets.
const MAX_LENGTH: usize = 16 * 1024;
/// How many challenges and how many parameters of each are read.
const MAX_ITEMS: usize = 32;

/// One challenge (RFC 9110, section 11.6.1): a scheme with either one opaque token or parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    token: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The scheme, as the server writes it. Compare it in any case: [`is_scheme`](Self::is_scheme).
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether the challenge is of this scheme.
    pub fn is_scheme(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The opaque token in place of parameters, as `Negotiate` has it.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A parameter, its name in any case. The first counts where it stands twice.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Why a bearer token was refused (RFC 6750, section 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BearerErrorCode {
    /// The request is malformed (status 400).
    InvalidRequest,
    /// The token is expired, revoked or wrong (status 401).
    InvalidToken,
    /// The token lacks a scope (status 403).
    InsufficientScope,
    /// Another code, as far as it may be shown.
    Other(String),
}

impl fmt::Display for BearerErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::Other(code) => code,
        })
    }
}

/// The `Bearer` challenge of a response (RFC 6750, section 3). All text is the server's: untrusted, with control
/// characters replaced and cut to 400 characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BearerChallenge {
    /// The protected realm.
    pub realm: Option<String>,
    /// Why the request was refused. Absent when it had no token at all.
    pub error: Option<BearerErrorCode>,
    /// Why, in words for a developer.
    pub error_description: Option<String>,
    /// Where the server says more.
    pub error_uri: Option<String>,
    /// The scopes that the request needs, separated by spaces.
    pub scope: Option<String>,
}

impl BearerChallenge {
    /// The `Bearer` challenge among those of a response: the first with an error, else the first.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut bearers = challenges(headers).into_iter().filter(|c| c.is_scheme("Bearer")).map(|c| Self::from(&c));
        let first = bearers.next()?;
        if first.error.is_some() {
            return Some(first);
        }
        Some(bearers.find(|b| b.error.is_some()).unwrap_or(first))
    }
}

impl From<&Challenge> for BearerChallenge {
    fn from(challenge: &Challenge) -> Self {
        let text = |name| challenge.parameter(name).filter(|t| !t.is_empty()).map(|t| shown(t, 400));
        Self {
            realm: text("realm"),
            error: text("error").map(|code| match code.as_str() {
                "invalid_request" => BearerErrorCode::InvalidRequest,
                "invalid_token" => BearerErrorCode::InvalidToken,
                "insufficient_scope" => BearerErrorCode::InsufficientScope,
                _ => BearerErrorCode::Other(code),
            }),
            error_description: text("error_description"),
            error_uri: text("error_uri"),
            scope: text("scope"),
        }
    }
}

/// The challenges of a response, in order, over all its `WWW-Authenticate` headers.
///
/// A malformed part ends the reading of its header line; what stands before it is kept. Values that are no UTF-8 are
/// read as far as possible.
pub fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut room = MAX_LENGTH;
    for value in headers.get_all(header::WWW_AUTHENTICATE) {
        let Some(left) = room.checked_sub(value.len()) else { break };
        room = left;
        parse(&String::from_utf8_lossy(value.as_bytes()), &mut found);
    }
    found
}

/// Reads one header line: challenges and their parameters are separated by the same comma.
fn parse(line: &str, found: &mut Vec<Challenge>) {
    let mut rest = Cursor(line);
    let mut open: Option<Challenge> = None;
    loop {
        rest.skip(&[' ', '\t', ',']);
        let Some(word) = rest.token() else { break };
        let before = rest;
        rest.skip(&[' ', '\t']);
        let is_parameter = open.is_some() && rest.0.starts_with('=');
        if is_parameter {
            rest.skip_one();
            rest.skip(&[' ', '\t']);
            let Some(value) = rest.value() else { break };
            if let Some(challenge) = open.as_mut().filter(|c| c.parameters.len() < MAX_ITEMS) {
                challenge.parameters.push((word.to_owned(), value));
            }
        } else {
            found.extend(open.take());
            if found.len() >= MAX_ITEMS {
                return;
            }
            let token = if rest.0.len() < before.0.len() { rest.token68() } else { None };
            open = Some(Challenge { scheme: word.to_owned(), token, parameters: Vec::new() });
        }
    }
    found.extend(open);
}

#[derive(Clone, Copy)]
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn skip(&mut self, chars: &[char]) {
        self.0 = self.0.trim_start_matches(chars);
    }

    fn skip_one(&mut self) {
        let mut chars = self.0.chars();
        chars.next();
        self.0 = chars.as_str();
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !wanted(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// A token of RFC 9110, section 5.6.2.
    fn token(&mut self) -> Option<&'a str> {
        let taken = self.take_while(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
        (!taken.is_empty()).then_some(taken)
    }

    /// A token68 of RFC 9110, section 11.2, if one stands here alone, up to a comma or the end.
    fn token68(&mut self) -> Option<String> {
        let mut ahead = *self;
        let text = ahead.take_while(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        let padding = ahead.take_while(|c| c == '=');
        ahead.skip(&[' ', '\t']);
        if text.is_empty() || !(ahead.0.is_empty() || ahead.0.starts_with(',')) {
            return None;
        }
        *self = ahead;
        Some(format!("{text}{padding}"))
    }

    /// The value of a parameter: quoted, or bare. Bare values are read up to a comma or a space, for servers that
    /// leave out the quotes around more than a token.
    fn value(&mut self) -> Option<String> {
        if !self.0.starts_with('"') {
            let bare = self.take_while(|c| !matches!(c, ',' | ' ' | '\t' | '"'));
            return Some(bare.to_owned());
        }
        let mut value = String::new();
        let mut chars = self.0.chars();
        chars.next();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => value.push(chars.next()?),
                c => value.push(c),
            }
        }
        self.0 = chars.as_str();
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("www-AUTHENTICATE", http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        headers
    }

    fn bearer(lines: &[&str]) -> Option<BearerChallenge> {
        BearerChallenge::from_headers(&headers(lines))
    }

    /// FR-18 (RFC 6750, 3): all parameters of a Bearer challenge are read.
    #[test]
    fn bearer_parameters_are_read() {
        let line = r#"Bearer realm="ex\"ample", error="insufficient_scope", error_description="needs more", scope="patient/*.rs openid", error_uri="https://x.example/e""#;
        let challenge = bearer(&[line]).unwrap();
        assert_eq!(challenge.realm.as_deref(), Some("ex\"ample"));
        assert_eq!(challenge.error, Some(BearerErrorCode::InsufficientScope));
        assert_eq!(challenge.error_description.as_deref(), Some("needs more"));
        assert_eq!(challenge.scope.as_deref(), Some("patient/*.rs openid"));
        assert_eq!(challenge.error_uri.as_deref(), Some("https://x.example/e"));
    }

    /// FR-18 (RFC 6750, 3.1): the error codes; one that is unknown is kept.
    #[test]
    fn error_codes_are_read() {
        for (code, expected) in [
            ("invalid_request", BearerErrorCode::InvalidRequest),
            ("invalid_token", BearerErrorCode::InvalidToken),
            ("insufficient_scope", BearerErrorCode::InsufficientScope),
            ("odd", BearerErrorCode::Other("odd".into())),
        ] {
            for line in [format!("bearer error=\"{code}\""), format!("BEARER ERROR = {code} , x=y")] {
                assert_eq!(bearer(&[&line]).unwrap().error.as_ref(), Some(&expected), "{line}");
            }
            assert_eq!(expected.to_string(), code);
        }
        assert_eq!(bearer(&["Bearer"]).unwrap(), BearerChallenge::default());
        assert_eq!(bearer(&["Bearer error=\"\""]).unwrap().error, None);
    }

    /// FR-18 (RFC 9110, 11.6.1): several challenges, in one line and in several, are told apart.
    #[test]
    fn several_challenges_are_told_apart() {
        let expected = Some(BearerErrorCode::InvalidToken);
        for lines in [
            &[r#"Basic realm="a, Bearer error=x", Bearer realm=b, error="invalid_token""#][..],
            &[r#"Negotiate, Bearer error="invalid_token", Basic realm="z""#],
            &["Negotiate dG9rZW4=", r#"Bearer error="invalid_token""#],
            &[r#"Negotiate dG9rZW4==, Bearer error="invalid_token""#],
            &[r#",, Bearer realm="b" ,, error="invalid_token" ,"#],
            &["Bearer realm=\"first\"", r#"Bearer error="invalid_token""#],
            &[r#"Digest realm="x", nonce="a=,b", Bearer error="invalid_token", error="late""#],
        ] {
            assert_eq!(bearer(lines).and_then(|b| b.error), expected, "{lines:?}");
        }
        let all = challenges(&headers(&["Negotiate dG9r/+Zw4==, Basic realm=\"x\", Bearer"]));
        let schemes: Vec<&str> = all.iter().map(Challenge::scheme).collect();
        assert_eq!(schemes, ["Negotiate", "Basic", "Bearer"]);
        assert_eq!(all[0].token(), Some("dG9r/+Zw4=="));
        assert_eq!(all[1].parameter("REALM"), Some("x"));
    }

    /// FR-18: what is no Bearer challenge is none, and a malformed line loses only its rest.
    #[test]
    fn malformed_lines_lose_only_their_rest() {
        for line in ["", ",", "\"Bearer\"", "Basic realm=\"Bearer\"", "=", "Basic realm=\"open, Bearer"] {
            assert_eq!(bearer(&[line]), None, "{line}");
        }
        assert_eq!(bearer(&[r#"Bearer scope="a", error="open"#]).unwrap().scope.as_deref(), Some("a"));
        assert_eq!(bearer(&["Bearer error=invalid_token, \"x\""]).unwrap().error, Some(BearerErrorCode::InvalidToken));
    }

    /// FR-18, SE-08: the work is bounded whatever the server sends, and its text cannot steer a terminal.
    #[test]
    fn reading_is_bounded() {
        assert!(challenges(&headers(&["a, ".repeat(5000).as_str()])).len() <= MAX_ITEMS);
        assert!(challenges(&headers(&["x".repeat(MAX_LENGTH + 1).as_str()])).is_empty());
        let long = format!("Bearer error_description=\"{}\u{202e}\"", "y".repeat(1000));
        assert!(bearer(&[&long]).unwrap().error_description.unwrap().chars().count() <= 401);
    }

    proptest! {
        /// FR-18: no header makes the parser panic or run on.
        #[test]
        fn any_line_is_read(line in "\\PC*", lists in "([A-Za-z=\", \\\\]){0,80}") {
            for text in [line, lists] {
                let mut found = Vec::new();
                parse(&text, &mut found);
                prop_assert!(found.len() <= MAX_ITEMS);
            }
        }

        /// FR-18 (RFC 9110, 5.6.4): a quoted value reads as it was meant, whatever it holds.
        #[test]
        fn quoted_values_read_as_meant(value in "[ -~]{1,60}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let mut found = Vec::new();
            parse(&format!("Basic a=b, Bearer scope=\"{quoted}\", error=x"), &mut found);
            prop_assert_eq!(found[1].parameter("scope"), Some(value.as_str()));
            prop_assert_eq!(found[1].parameter("error"), Some("x"));
        }
    }
}
