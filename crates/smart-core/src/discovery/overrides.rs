//! Endpoints that the caller knows better than the server's documents.

use super::endpoint::Endpoint;
use super::error::DiscoveryError;
use super::members::check_endpoint;
use super::report::FindingCode;
use super::smart_configuration::SmartConfiguration;
use crate::discovery::Finding;
use crate::issuer::Issuer;
use crate::url_policy::UrlPolicy;
use std::collections::BTreeMap;
use url::Url;

/// Replacements for single endpoints. Discovery still runs for all the others; with a token endpoint among the
/// overrides, a server that publishes nothing can be used as well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointOverrides {
    endpoints: BTreeMap<Endpoint, Url>,
    issuer: Option<Issuer>,
}

impl EndpointOverrides {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses `url` for one endpoint, whatever the server says. The URL policy holds for it as for the server's own.
    pub fn endpoint(mut self, endpoint: Endpoint, url: Url) -> Self {
        self.endpoints.insert(endpoint, url);
        self
    }

    /// Uses this OpenID issuer, whatever the server says.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// The replacement of an endpoint.
    pub fn get(&self, endpoint: Endpoint) -> Option<&Url> {
        self.endpoints.get(&endpoint)
    }

    /// Whether there is nothing to replace.
    pub fn is_empty(&self) -> bool {
        self.endpoints.is_empty() && self.issuer.is_none()
    }

    pub(super) fn check(&self, policy: UrlPolicy) -> Result<(), DiscoveryError> {
        for (endpoint, url) in &self.endpoints {
            check_endpoint(policy, url).map_err(|reason| DiscoveryError::Endpoint {
                document: "the caller's overrides".into(),
                member: endpoint.member(),
                reason,
            })?;
        }
        Ok(())
    }

    /// Replaces the endpoints of `configuration`. The URLs have been checked.
    pub(super) fn apply(&self, configuration: &mut SmartConfiguration, findings: &mut Vec<Finding>) {
        for (endpoint, url) in &self.endpoints {
            configuration.set_endpoint(*endpoint, url.clone());
            let message = format!("`{endpoint}` was given by the caller: {url}");
            findings.push(Finding::new(FindingCode::EndpointOverridden, message));
        }
        if let Some(issuer) = &self.issuer {
            configuration.issuer = Some(issuer.clone());
            let message = format!("`issuer` was given by the caller: {issuer}");
            findings.push(Finding::new(FindingCode::EndpointOverridden, message));
        }
    }
}
