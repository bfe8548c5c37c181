//! Which launch a page is to begin.

use crate::options::AppOptions;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::{EhrLaunch, IssuerRefused, LaunchError};
use smart_core::url_policy::UrlError;
use url::Url;

/// A launch that a page may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// An EHR opened the page.
    Ehr(EhrLaunch),
    /// The person opened it.
    Standalone(FhirBaseUrl),
}

/// Why no launch can begin. Nothing was asked of any server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The EHR's launch is refused.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The server in the page's URL may not launch the app.
    #[error(transparent)]
    Refused(#[from] IssuerRefused),
    /// The server in the page's URL is no FHIR base URL.
    #[error("the `iss` in the page's URL is no FHIR base URL: {0}")]
    Iss(#[from] UrlError),
    /// `iss` is in the page's URL more than once.
    #[error("the page's URL repeats `iss`; it is refused, since nobody can say which one is meant")]
    Repeated,
    /// Neither the page's URL nor its options name a server.
    #[error("no FHIR server is named: open the app from within the EHR, or set the option `iss`")]
    NoServer,
}

impl AppOptions {
    /// The launch that the page's URL and options ask for. A server that the URL names has to be one of those that may launch
    /// the app: whoever made the link wrote it (SMART App Launch 2.2, app protection).
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(&self, page: &Url) -> Result<Start, StartError> {
        let named = |wanted: &str| {
            page.query_pairs().filter(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).collect()
        };
        let (issuers, launches): (Vec<String>, Vec<String>) = (named("iss"), named("launch"));
        if !launches.is_empty() {
            return Ok(Start::Ehr(EhrLaunch::from_query(page.query().unwrap_or_default(), &self.allowed)?));
        }
        match (issuers.as_slice(), &self.iss) {
            ([], Some(iss)) => Ok(Start::Standalone(iss.clone())),
            ([], None) => Err(StartError::NoServer),
            ([iss], _) => {
                let iss = FhirBaseUrl::parse_with(iss, self.url_policy)?;
                self.allowed.check(&iss)?;
                Ok(Start::Standalone(iss))
            }
            _ => Err(StartError::Repeated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(options: &str, query: &str) -> Result<Start, StartError> {
        let options = format!(r#"{{"clientId":"my-app","redirectUri":"https://app.example/"{options}}}"#);
        let page = Url::parse(&format!("https://app.example/{query}")).unwrap();
        AppOptions::parse(&options).unwrap().start(&page)
    }

    const LISTED: &str = r#","allowedIssuers":["https://ehr.example/fhir"]"#;

    /// The page's own server begins a standalone launch.
    #[test]
    fn options_name_the_server_of_a_standalone_launch() {
        let started = start(r#","iss":"https://ehr.example/fhir""#, "?view=labs").unwrap();
        assert_eq!(started, Start::Standalone(FhirBaseUrl::parse("https://ehr.example/fhir").unwrap()));
        assert_eq!(start(LISTED, ""), Err(StartError::NoServer));
    }

    /// LA-03 (SMART, app protection: counterfeit servers): a server in the page's URL has to be on the list, with a launch value
    /// and without.
    #[test]
    fn foreign_servers_in_the_url_are_refused() {
        let listed = "?iss=https%3A%2F%2Fehr.example%2Ffhir";
        let foreign = "?iss=https%3A%2F%2Fevil.example%2Ffhir";
        assert!(matches!(start(LISTED, &format!("{listed}&launch=xyz")), Ok(Start::Ehr(_))));
        assert!(matches!(start(LISTED, listed), Ok(Start::Standalone(_))));
        assert!(matches!(
            start(LISTED, &format!("{foreign}&launch=xyz")),
            Err(StartError::Launch(LaunchError::Refused(IssuerRefused::NotListed { .. })))
        ));
        assert!(matches!(start(LISTED, foreign), Err(StartError::Refused(IssuerRefused::NotListed { .. }))));
        assert!(matches!(start("", &format!("{listed}&launch=xyz")), Err(StartError::Launch(_))));
    }

    /// What cannot be read as one launch is none.
    #[test]
    fn unclear_launches_are_refused() {
        let iss = "iss=https%3A%2F%2Fehr.example%2Ffhir";
        assert_eq!(start(LISTED, &format!("?{iss}&{iss}")), Err(StartError::Repeated));
        assert!(matches!(start(LISTED, "?launch=xyz"), Err(StartError::Launch(LaunchError::Missing { .. }))));
        assert!(matches!(start(LISTED, "?iss=nonsense"), Err(StartError::Iss(_))));
        assert!(start(LISTED, &format!("?{iss}&launch=1&launch=2")).is_err());
    }
}
