//! The address of a FHIR server.

use crate::discovery::{Discovery, DiscoveryOptions};
use crate::fhir_base::FhirBaseUrl;
use url::Url;

/// A FHIR endpoint out of a bundle (SMART App Launch 2.2, user-access endpoint): an address to run discovery on, and
/// nothing more. It gives no right to anything and names no place for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandEndpoint {
    /// The id of the resource.
    pub id: Option<String>,
    /// The `fullUrl` of the entry: an absolute URI, unique in the bundle.
    pub full_url: Option<String>,
    /// The FHIR base.
    pub address: FhirBaseUrl,
    /// The FHIR versions that it speaks, such as `4.0.1`.
    pub fhir_versions: Vec<String>,
    /// A technical name. Show the brand's name to people.
    pub name: Option<String>,
    /// `active`, or why it is not in use.
    pub status: Option<String>,
    /// Pages where developers arrange access.
    pub developer_pages: Vec<Url>,
}

impl BrandEndpoint {
    /// An active endpoint, as a publisher begins it.
    pub fn new(id: impl Into<String>, address: FhirBaseUrl, fhir_version: impl Into<String>) -> Self {
        Self {
            id: Some(id.into()),
            full_url: None,
            address,
            fhir_versions: vec![fhir_version.into()],
            name: None,
            status: Some("active".to_owned()),
            developer_pages: Vec::new(),
        }
    }

    /// Discovery at the address: what comes before any authorization (requirement BR-04).
    pub fn discovery(&self, options: DiscoveryOptions) -> Discovery {
        Discovery::new(self.address.clone(), options)
    }

    /// Whether it is in use. One without a status is taken to be.
    pub fn is_active(&self) -> bool {
        self.status.as_deref().is_none_or(|status| status == "active")
    }

    /// Whether it says that it speaks a release of FHIR: `4.0` for R4, `4.3`, `5.0`, `3.0`, `1.0`. Ask the server itself by
    /// discovery where it says nothing.
    pub fn speaks(&self, release: &str) -> bool {
        self.fhir_versions.iter().any(|version| {
            version.strip_prefix(release).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
        })
    }
}
