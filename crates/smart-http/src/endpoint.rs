//! Which endpoint an exchange was with, as it may be shown.

use http::Uri;
use std::fmt;
use std::sync::Arc;

/// An endpoint as it may be shown in errors and logs: scheme, host, port and path.
///
/// User name, password, query and fragment are left out: queries hold search criteria about patients, or codes
/// (requirements FR-23, SE-05). It is as small as a pointer.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Arc<Uri>);

impl Endpoint {
    /// The endpoint of a request's URL.
    pub fn of(uri: &Uri) -> Self {
        Self(Arc::new(uri.clone()))
    }

    /// The host, without the port.
    pub fn host(&self) -> Option<&str> {
        self.0.host()
    }
}

impl From<&url::Url> for Endpoint {
    fn from(url: &url::Url) -> Self {
        let mut shown = url.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        Self(Arc::new(Uri::try_from(shown.as_str()).unwrap_or_default()))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.0.scheme_str() {
            write!(f, "{scheme}://")?;
        }
        f.write_str(self.0.host().unwrap_or_default())?;
        if let Some(port) = self.0.port_u16() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FR-23, SE-05 (SMART, App protection): an endpoint shows neither its query nor credentials.
    #[test]
    fn query_and_credentials_are_not_shown() {
        let uri = Uri::from_static("https://bob:hunter2@ehr.example:8443/fhir/Patient?name=Smith");
        for shown in [Endpoint::of(&uri).to_string(), format!("{:?}", Endpoint::of(&uri))] {
            assert!(shown.contains("https://ehr.example:8443/fhir/Patient"), "{shown}");
            assert!(!shown.contains("Smith") && !shown.contains("hunter2"), "{shown}");
        }
        let url = url::Url::parse("https://bob:hunter2@ehr.example/fhir?x=Smith#y").unwrap();
        assert_eq!(Endpoint::from(&url).to_string(), "https://ehr.example/fhir");
    }
}
