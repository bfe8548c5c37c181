//! The finished authorization request, for the browser.

use crate::untrusted::html_escaped;
use url::Url;

/// Above this many octets a GET is too long for some browsers and servers, and POST is preferred where offered.
const LONG_URL: usize = 2000;

/// Which method brings the request to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A plain link or redirect.
    Get,
    /// A form that the browser sends (capability `authorize-post`).
    Post,
}

/// An authorization request, ready for the person's own browser (RFC 8252: never an embedded web view).
///
/// `Debug` shows the endpoint only: the parameters hold the state.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    endpoint: Url,
    post_supported: bool,
    parameters: Vec<(String, String)>,
}

impl AuthorizationRequest {
    pub(super) fn new(endpoint: Url, post_supported: bool, parameters: Vec<(String, String)>) -> Self {
        Self { endpoint, post_supported, parameters }
    }

    /// The URL for a GET: a query that the endpoint already has is kept (RFC 6749, section 3.1), a fragment is not.
    pub fn url(&self) -> Url {
        let mut url = self.endpoint.clone();
        url.set_fragment(None);
        url.query_pairs_mut().extend_pairs(&self.parameters);
        url
    }

    /// Where a POST goes.
    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The parameters in their order, not encoded.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// POST when the server offers it and the URL would be long, else GET (requirement AZ-06).
    pub fn preferred_method(&self) -> Method {
        if self.post_supported && self.url().as_str().len() > LONG_URL { Method::Post } else { Method::Get }
    }

    /// A page that sends the request by POST: at once where scripts run, by a button where they do not.
    ///
    /// Every value is escaped. Serve it as `text/html; charset=utf-8` with `Cache-Control: no-store`. The script has
    /// no source of its own: a content security policy must allow it by [`FORM_POST_SCRIPT_HASH`](Self::FORM_POST_SCRIPT_HASH),
    /// or the button serves.
    pub fn form_post_page(&self) -> String {
        use std::fmt::Write as _;
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
             <title>Continue to sign in</title></head>\n<body><form method=\"post\" action=\"{}\">\n",
            html_escaped(self.endpoint.as_str())
        );
        for (name, value) in &self.parameters {
            // Writing to a String cannot fail.
            let _ = writeln!(
                page,
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                html_escaped(name),
                html_escaped(value)
            );
        }
        let _ = write!(
            page,
            "<p>You are being taken to your health system's sign-in page.</p><button>Continue</button>\n</form>\
             <script>{SCRIPT}</script></body></html>\n"
        );
        page
    }

    /// The `script-src` source for the page of [`form_post_page`](Self::form_post_page).
    pub const FORM_POST_SCRIPT_HASH: &'static str = "'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='";
}

const SCRIPT: &str = "document.forms[0].submit()";

impl std::fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationRequest").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn request(endpoint: &str, post: bool, value: &str) -> AuthorizationRequest {
        AuthorizationRequest::new(endpoint.parse().unwrap(), post, vec![("scope".into(), value.into())])
    }

    /// AZ-04, F-26, D-22 (RFC 6749 3.1): the endpoint's own query stays, a fragment does not, values are form encoded.
    #[test]
    fn query_of_the_endpoint_is_kept() {
        let url = request("https://ehr.example/auth?tenant=1#top", false, "patient/*.rs openid").url();
        assert_eq!(url.as_str(), "https://ehr.example/auth?tenant=1&scope=patient%2F*.rs+openid");
    }

    /// AZ-06 (SMART, scope size; capability authorize-post): long requests go by POST where the server takes it.
    #[test]
    fn long_requests_prefer_post_where_offered() {
        let long = "patient/Observation.rs ".repeat(200);
        assert_eq!(request("https://ehr.example/auth", true, &long).preferred_method(), Method::Post);
        assert_eq!(request("https://ehr.example/auth", false, &long).preferred_method(), Method::Get);
        assert_eq!(request("https://ehr.example/auth", true, "openid").preferred_method(), Method::Get);
    }

    /// AZ-05, F-25 (SMART, authorization by POST): each value in the form is escaped.
    #[test]
    fn form_post_escapes_every_value() {
        let page = request("https://ehr.example/auth?a=1&b=2", true, "\"><script>alert(1)</script>").form_post_page();
        assert!(page.contains("action=\"https://ehr.example/auth?a=1&amp;b=2\""));
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\""));
        assert_eq!(page.matches("<script>").count(), 1);
    }

    /// AZ-05: the published hash is the hash of the page's script.
    #[test]
    fn script_hash_is_right() {
        let digest = ring::digest::digest(&ring::digest::SHA256, SCRIPT.as_bytes());
        let source = format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest.as_ref()));
        assert_eq!(AuthorizationRequest::FORM_POST_SCRIPT_HASH, source);
    }
}
