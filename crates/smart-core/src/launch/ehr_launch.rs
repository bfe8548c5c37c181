//! The request by which an EHR starts an app.

use super::allowed_issuers::{AllowedIssuers, IssuerRefused};
use crate::fhir_base::FhirBaseUrl;
use crate::secret::LaunchId;
use crate::url_policy::UrlError;

/// How many octets the query of a launch request may have.
const MAX_QUERY: usize = 16 * 1024;

/// An EHR launch: the FHIR server that the EHR names, checked against the allow-list, and its opaque launch value
/// (SMART App Launch 2.2, EHR launch).
///
/// Launch context never comes from here: a `patient` parameter on the launch URL says nothing (requirement CX-12).
/// `Debug` shows the names of such parameters, not their values.
#[derive(Clone, PartialEq, Eq)]
pub struct EhrLaunch {
    iss: FhirBaseUrl,
    is_from_anybody: bool,
    launch: LaunchId,
    other: Vec<(String, String)>,
}

/// Why a launch request was refused. No request has been made to the server that it names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum LaunchError {
    /// A parameter that must be there is not, or is empty.
    #[error("the launch request has no `{parameter}`; open the app from within the EHR, or begin a standalone launch")]
    Missing {
        /// `iss` or `launch`.
        parameter: &'static str,
    },
    /// A parameter comes more than once.
    #[error("the launch request repeats `{parameter}`; it is refused, since nobody can say which one is meant")]
    Repeated {
        /// `iss` or `launch`.
        parameter: &'static str,
    },
    /// The `iss` is no FHIR base URL.
    #[error("the `iss` of the launch request is no FHIR base URL: {0}")]
    Iss(#[from] UrlError),
    /// The `iss` is not allowed to launch the app.
    #[error(transparent)]
    Refused(#[from] IssuerRefused),
    /// The query is too long to be a launch request.
    #[error("the launch request has {length} octets; at most {MAX_QUERY} are read")]
    TooLong {
        /// Its length in octets.
        length: usize,
    },
}

impl EhrLaunch {
    /// Reads the query of a request to the app's launch URL, with or without the leading `?`.
    ///
    /// # Errors
    /// [`LaunchError`].
    pub fn from_query(query: &str, allowed: &AllowedIssuers) -> Result<Self, LaunchError> {
        let query = query.strip_prefix('?').unwrap_or(query);
        if query.len() > MAX_QUERY {
            return Err(LaunchError::TooLong { length: query.len() });
        }
        let (mut iss, mut launch, mut other) = (None, None, Vec::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "iss" => put_once(&mut iss, value.into_owned(), "iss")?,
                "launch" => put_once(&mut launch, value.into_owned(), "launch")?,
                _ => other.push((name.into_owned(), value.into_owned())),
            }
        }
        let iss = iss.filter(|v| !v.is_empty()).ok_or(LaunchError::Missing { parameter: "iss" })?;
        let launch = launch.filter(|v| !v.is_empty()).ok_or(LaunchError::Missing { parameter: "launch" })?;
        let iss = FhirBaseUrl::parse_with(&iss, allowed.url_policy())?;
        allowed.check(&iss)?;
        Ok(Self { iss, is_from_anybody: allowed.is_any(), launch: LaunchId::new(launch), other })
    }

    /// The FHIR server, byte for byte as the EHR named it: it becomes the `aud` of the authorization request.
    pub fn iss(&self) -> &FhirBaseUrl {
        &self.iss
    }

    /// Whether the server was accepted only because any server is: it may be whose link the person followed, and must not get
    /// a secret.
    pub fn is_from_anybody(&self) -> bool {
        self.is_from_anybody
    }

    /// The opaque launch value, to be passed on unchanged.
    pub fn launch(&self) -> &LaunchId {
        &self.launch
    }

    /// Parameters that SMART does not define, in their order, decoded. They come from whoever made the link.
    pub fn other_parameters(&self) -> &[(String, String)] {
        &self.other
    }
}

impl std::fmt::Debug for EhrLaunch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EhrLaunch")
            .field("iss", &self.iss.as_str())
            .field("other", &self.other.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

fn put_once(slot: &mut Option<String>, value: String, parameter: &'static str) -> Result<(), LaunchError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(LaunchError::Repeated { parameter }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> AllowedIssuers {
        AllowedIssuers::only([FhirBaseUrl::parse("https://ehr.example/r4").unwrap()])
    }

    /// LA-01, F-02 (SMART, EHR launch): iss and launch are both required, decoded once, not repeated, not empty.
    #[test]
    fn missing_empty_and_repeated_parameters_are_refused() {
        let iss = "iss=https%3A%2F%2Fehr.example%2Fr4";
        let read = |query: &str| EhrLaunch::from_query(query, &allowed());
        assert!(read(&format!("?{iss}&launch=xyz")).is_ok());
        for query in
            [iss.to_owned(), format!("{iss}&launch="), "launch=x".into(), "iss=&launch=x".into(), String::new()]
        {
            assert!(matches!(read(&query), Err(LaunchError::Missing { .. })), "{query}");
        }
        for query in
            [format!("{iss}&{iss}&launch=x"), format!("{iss}&launch=x&launch=x"), format!("{iss}&launch=&launch=x")]
        {
            assert!(matches!(read(&query), Err(LaunchError::Repeated { .. })), "{query}");
        }
        assert!(matches!(read("iss=https%253A%252F%252Fehr.example%252Fr4&launch=x"), Err(LaunchError::Iss(_))));
        assert!(matches!(read(&"a".repeat(20_000)), Err(LaunchError::TooLong { .. })));
    }

    /// LA-02 (SMART, scopes and launch context): the launch value survives unchanged.
    #[test]
    fn launch_value_is_opaque() {
        let launch = EhrLaunch::from_query("launch=a%2Bb%2F%3D%25c+d&iss=https://ehr.example/r4/", &allowed()).unwrap();
        assert_eq!(launch.launch().expose_secret(), "a+b/=%c d");
        assert_eq!(launch.iss().as_str(), "https://ehr.example/r4/");
    }

    /// LA-06, CX-12: unknown parameters are shown, not acted on.
    #[test]
    fn unknown_parameters_are_exposed() {
        let launch = EhrLaunch::from_query("iss=https://ehr.example/r4&launch=x&patient=77", &allowed()).unwrap();
        assert_eq!(launch.other_parameters(), [("patient".to_owned(), "77".to_owned())]);
    }

    /// SE-05, FR-23: neither the launch value nor what else the link holds shows in Debug.
    #[test]
    fn debug_hides_values() {
        let launch = EhrLaunch::from_query("iss=https://ehr.example/r4&launch=s3cret&mrn=777", &allowed()).unwrap();
        let shown = format!("{launch:?}");
        assert!(shown.contains("ehr.example") && shown.contains("mrn"), "{shown}");
        assert!(!shown.contains("s3cret") && !shown.contains("777"), "{shown}");
    }

    /// LA-03, D-21: an unlisted iss is refused here, before anything could be sent to it.
    #[test]
    fn unlisted_iss_is_refused() {
        let error = EhrLaunch::from_query("iss=https://evil.example/r4&launch=x", &allowed()).unwrap_err();
        assert!(matches!(error, LaunchError::Refused(IssuerRefused::NotListed { .. })));
        assert!(EhrLaunch::from_query("iss=http://127.0.0.1/r4&launch=x", &allowed()).is_err());
    }
}
