//! The cookies of a web app.

use crate::pending_logins::BrowserId;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use smart_core::redirect_uri::{RedirectKind, RedirectUri};

/// What a cookie of ours can be: 32 random octets in base64url.
const LENGTH: usize = 43;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// Of a browser in which logins wait.
    Login,
    /// Of a browser that has sessions.
    Session,
    /// Changes with each logout, and says nothing. Browsers keep whole pages for their back button, also those of `no-store`; a
    /// cookie out of reach for scripts that changes makes them forget these.
    SignedOut,
}

/// How cookies are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CookieRules {
    /// Off only where the app itself is on plain http on loopback.
    secure: bool,
    /// For an app in a frame of the EHR's page.
    embedded: bool,
}

impl CookieRules {
    pub(super) fn new(redirect_uri: &RedirectUri, embedded: bool) -> Self {
        Self { secure: redirect_uri.kind() == RedirectKind::Https, embedded }
    }

    fn name(self, cookie: Cookie) -> String {
        let name = match cookie {
            Cookie::Login => "smart-login",
            Cookie::Session => "smart-session",
            Cookie::SignedOut => "smart-signed-out",
        };
        format!("{}{name}", if self.secure { "__Host-" } else { "" })
    }

    /// The id in a request's cookie. What cannot be one of ours is none; so are two of the same name.
    pub(super) fn read(self, headers: &HeaderMap, cookie: Cookie) -> Option<BrowserId> {
        let name = self.name(cookie);
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(n, _)| *n == name)
            .map(|(_, value)| value);
        let value = values.next().filter(|value| is_id(value))?;
        values.next().is_none().then(|| BrowserId::from_exposed(value))
    }

    /// The `Set-Cookie` header for an id; without one, the cookie is taken away.
    pub(super) fn set(self, cookie: Cookie, id: Option<&BrowserId>) -> Option<HeaderValue> {
        let site = if self.embedded && self.secure { "None; Partitioned" } else { "Lax" };
        let secure = if self.secure { "; Secure" } else { "" };
        let (value, age) = match id {
            Some(id) => (id.expose_secret(), ""),
            None => ("", "; Max-Age=0"),
        };
        let text = format!("{}={value}; Path=/; HttpOnly; SameSite={site}{secure}{age}", self.name(cookie));
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

fn is_id(value: &str) -> bool {
    value.len() == LENGTH && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn rules(uri: &str, embedded: bool) -> CookieRules {
        CookieRules::new(&RedirectUri::parse(uri).unwrap(), embedded)
    }

    fn set(rules: CookieRules, id: Option<&BrowserId>) -> String {
        rules.set(Cookie::Session, id).unwrap().to_str().unwrap().to_owned()
    }

    /// SE-04 (SMART, App protection): the cookie is out of reach for scripts, other hosts and plain http.
    #[test]
    fn cookies_are_locked_down() {
        let id = BrowserId::from_exposed(ID);
        let cookie = set(rules("https://app.example/callback", false), Some(&id));
        assert_eq!(cookie, format!("__Host-smart-session={ID}; Path=/; HttpOnly; SameSite=Lax; Secure"));
        let framed = set(rules("https://app.example/callback", true), Some(&id));
        assert!(framed.contains("SameSite=None; Partitioned; Secure"), "{framed}");
        let local = set(rules("http://127.0.0.1:3000/callback", true), Some(&id));
        assert_eq!(local, format!("smart-session={ID}; Path=/; HttpOnly; SameSite=Lax"));
        assert!(set(rules("https://app.example/callback", false), None).ends_with("Max-Age=0"));
    }

    /// ST-03: a cookie that is doubled, cut or foreign names no browser.
    #[test]
    fn only_one_well_formed_cookie_counts() {
        let rules = rules("https://app.example/callback", false);
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, text.parse().unwrap());
            rules.read(&headers, Cookie::Login).map(|id| id.expose_secret().to_owned())
        };
        assert_eq!(read(&format!("a=b; __Host-smart-login={ID};c=d")).as_deref(), Some(ID));
        for other in [
            format!("smart-login={ID}"),
            format!("__Host-smart-session={ID}"),
            format!("__Host-smart-login={ID}; __Host-smart-login={ID}"),
            format!("__Host-smart-login={ID}A"),
            "__Host-smart-login=".to_owned(),
            format!("__Host-smart-login=\"{ID}\""),
        ] {
            assert_eq!(read(&other), None, "{other}");
        }
    }
}
