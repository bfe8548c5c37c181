//! Errors as they may be shown to people who may see no health data.

/// What may be said of an error in a crash report, a dashboard or a ticket: only names of this library, registered codes, and the
/// server's origin. No text from a server or a person, no path, no id.
///
/// An error's own message is for whoever runs the app: it never holds a secret, but may hold a server's words, or a URL that
/// names a patient.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[non_exhaustive]
pub struct Sanitized {
    /// What happened: names parted by `/`, from the whole to its part, such as `token/refused/invalid_grant`. The names are those of
    /// the variants, and stay the same from version to version.
    pub code: String,
    /// Scheme, host and port of the server at which it happened, where the error knows it.
    pub origin: Option<String>,
    /// Whether the same thing may work a little later.
    pub is_retryable: bool,
    /// Whether the person has to log in again.
    pub needs_reauthorization: bool,
}

impl Sanitized {
    /// An error with this code. `endpoint` is reduced to its origin; what is no http URL is left out.
    pub fn new(code: String, endpoint: Option<&str>, is_retryable: bool, needs_reauthorization: bool) -> Self {
        let origin = endpoint
            .and_then(|endpoint| url::Url::parse(endpoint).ok())
            .filter(|url| matches!(url.scheme(), "https" | "http"))
            .map(|url| url.origin().ascii_serialization());
        Self { code, origin, is_retryable, needs_reauthorization }
    }
}

impl std::fmt::Display for Sanitized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.code)?;
        if let Some(origin) = &self.origin {
            write!(f, " at {origin}")?;
        }
        match (self.needs_reauthorization, self.is_retryable) {
            (true, _) => f.write_str("; log in again"),
            (false, true) => f.write_str("; it may work later"),
            (false, false) => Ok(()),
        }
    }
}

/// Errors that can be told without health data. Each crate's error is one.
pub trait Sanitize: std::error::Error {
    /// What happened: [`Sanitized::code`].
    fn code(&self) -> String;

    /// What may be told.
    fn sanitized(&self) -> Sanitized;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_reduced_to_their_origin() {
        let origin = |endpoint| Sanitized::new("x".to_owned(), Some(endpoint), false, false).origin;
        assert_eq!(origin("https://me:pw@ehr.example:8443/fhir/Patient/1?x=1").unwrap(), "https://ehr.example:8443");
        assert_eq!(origin("urn:patient:1"), None);
        assert_eq!(origin("Patient/1"), None);
    }

    #[test]
    fn what_to_do_is_said() {
        let shown =
            |retry, login| Sanitized::new("x/y".to_owned(), Some("https://a.example/b"), retry, login).to_string();
        assert_eq!(shown(true, true), "x/y at https://a.example; log in again");
        assert_eq!(shown(true, false), "x/y at https://a.example; it may work later");
        assert_eq!(shown(false, false), "x/y at https://a.example");
    }
}
