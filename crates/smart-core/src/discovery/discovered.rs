//! What discovery found out about one FHIR server.

use super::body::{byte_order_mark, object};
use super::capability::{Capability, CapabilitySet};
use super::capability_statement::CapabilityStatement;
use super::endpoint::Endpoint;
use super::error::DiscoveryError;
use super::flow::{Flow, GatePolicy, NotAnnounced};
use super::members::Members;
use super::policy::DiscoveryOptions;
use super::report::{Finding, FindingCode, Severity, ValidationReport};
use super::smart_configuration::SmartConfiguration;
use super::validate::{no_challenge_methods, validate};
use super::version::SmartVersion;
use crate::authorize::AuthorizationServer;
use crate::fhir_base::FhirBaseUrl;
use crate::untrusted::shown;
use crate::url_policy::UrlPolicy;
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;

/// Which document the endpoints come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// `.well-known/smart-configuration`.
    WellKnown,
    /// The CapabilityStatement's `oauth-uris` (SMART 1).
    CapabilityStatement,
    /// The caller alone.
    Overrides,
}

/// A FHIR server with SMART, as its documents describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Discovered {
    /// The FHIR base, as it was given.
    pub fhir_base: FhirBaseUrl,
    /// The endpoints and capabilities.
    pub configuration: SmartConfiguration,
    /// Where they come from.
    pub source: Source,
    /// The oldest version of SMART that has all that the server shows.
    pub version: SmartVersion,
    /// What is wrong with the documents.
    pub report: ValidationReport,
}

impl SmartConfiguration {
    /// Reads the body of `{base}/.well-known/smart-configuration` under the default [`DiscoveryPolicy`]: a server
    /// that lists its PKCE methods without S256 is refused. The caller has limited the body's size.
    ///
    /// The content type does not matter, a byte order mark is passed over, and relative URLs are resolved.
    ///
    /// [`DiscoveryPolicy`]: super::DiscoveryPolicy
    ///
    /// # Errors
    /// [`DiscoveryError`].
    pub fn parse(body: &[u8], base: &FhirBaseUrl, policy: UrlPolicy) -> Result<Discovered, DiscoveryError> {
        let options = DiscoveryOptions { url_policy: policy, ..DiscoveryOptions::default() };
        Self::parse_with(body, base, &options)
    }

    /// Reads the body of `{base}/.well-known/smart-configuration` under the caller's options.
    ///
    /// # Errors
    /// [`DiscoveryError`].
    pub fn parse_with(
        body: &[u8],
        base: &FhirBaseUrl,
        options: &DiscoveryOptions,
    ) -> Result<Discovered, DiscoveryError> {
        let document = base.join(".well-known/smart-configuration")?.to_string();
        from_well_known(body, base, options, &document, Vec::new())
    }
}

impl Discovered {
    /// A server that publishes nothing, used through the caller's endpoints alone.
    ///
    /// # Errors
    /// [`DiscoveryError::Missing`] without a token endpoint among the overrides, [`DiscoveryError::Endpoint`] when
    /// one of them may not be used.
    pub fn from_overrides(base: &FhirBaseUrl, options: &DiscoveryOptions) -> Result<Self, DiscoveryError> {
        let document = "the caller's overrides";
        let Some(token) = options.overrides.get(Endpoint::Token) else {
            return Err(DiscoveryError::Missing { document: document.into(), member: Endpoint::Token.member() });
        };
        let configuration = SmartConfiguration::new(token.clone());
        finish(base, configuration, Source::Overrides, Vec::new(), options, document)
    }

    /// An endpoint by its name, or an error that says what to do.
    ///
    /// # Errors
    /// [`DiscoveryError::NotOffered`].
    pub fn endpoint(&self, endpoint: Endpoint) -> Result<&Url, DiscoveryError> {
        let base = || self.fhir_base.as_str().to_owned();
        self.configuration.endpoint(endpoint).ok_or_else(|| DiscoveryError::NotOffered { base: base(), endpoint })
    }

    /// What an authorization needs of this server.
    ///
    /// # Errors
    /// [`DiscoveryError::NotOffered`] without an authorization endpoint.
    pub fn authorization_server(&self) -> Result<AuthorizationServer, DiscoveryError> {
        Ok(AuthorizationServer {
            fhir_base: self.fhir_base.clone(),
            issuer: self.configuration.issuer.clone(),
            authorization_endpoint: self.endpoint(Endpoint::Authorization)?.clone(),
            token_endpoint: self.configuration.token_endpoint.clone(),
            authorize_post: self.configuration.supports(&Capability::AuthorizePost),
            iss_parameter_supported: self.configuration.authorization_response_iss_parameter_supported == Some(true),
        })
    }

    /// Whether a flow can be tried: its endpoints must be there; a capability, grant or authentication method that it
    /// needs and the server does not announce is reported or, when the caller wants so, refused. Servers
    /// under-advertise, so the default is to report (requirements DI-11, BS-06).
    ///
    /// A server without any list of capabilities, grants or methods says nothing about them, and nothing is held
    /// against it.
    ///
    /// # Errors
    /// [`DiscoveryError::NotOffered`] or [`DiscoveryError::CapabilityMissing`].
    pub fn gate(&self, flow: Flow, policy: GatePolicy) -> Result<Vec<Finding>, DiscoveryError> {
        for endpoint in flow.endpoints() {
            self.endpoint(*endpoint)?;
        }
        let missing = self.not_announced(flow);
        if policy == GatePolicy::Refuse && !missing.is_empty() {
            return Err(DiscoveryError::CapabilityMissing { base: self.fhir_base.as_str().to_owned(), flow, missing });
        }
        let finding = |missing: NotAnnounced| {
            let code = match missing {
                NotAnnounced::Capability(_) => FindingCode::CapabilityNotListed,
                NotAnnounced::Grant(_) => FindingCode::GrantNotListed,
                NotAnnounced::AuthMethod(_) => FindingCode::AuthMethodNotListed,
            };
            let message = format!("the server does not announce {missing}, which {flow} needs; it is tried anyway");
            Finding::new(code, message)
        };
        Ok(missing.into_iter().map(finding).collect())
    }

    fn not_announced(&self, flow: Flow) -> Vec<NotAnnounced> {
        let configuration = &self.configuration;
        let known = !configuration.capabilities.is_empty();
        let capabilities = flow.needed().iter().filter(|c| known && !configuration.supports(c));
        let mut missing: Vec<_> = capabilities.cloned().map(NotAnnounced::Capability).collect();
        let grants = configuration.grant_types_supported.as_ref();
        if grants.is_some_and(|grants| !grants.iter().any(|grant| grant == flow.grant())) {
            missing.push(NotAnnounced::Grant(flow.grant()));
        }
        let methods = configuration.token_endpoint_auth_methods_supported.as_ref();
        let method = flow.auth_method().filter(|method| methods.is_some_and(|methods| !methods.contains(method)));
        missing.extend(method.map(NotAnnounced::AuthMethod));
        missing
    }

    /// The capability sets that the server has whole.
    pub fn capability_sets(&self) -> Vec<CapabilitySet> {
        CapabilitySet::ALL.into_iter().filter(|set| set.is_met_by(&self.configuration.capabilities)).collect()
    }
}

/// Reads a smart-configuration.
pub(super) fn from_well_known(
    body: &[u8],
    base: &FhirBaseUrl,
    options: &DiscoveryOptions,
    document: &str,
    mut findings: Vec<Finding>,
) -> Result<Discovered, DiscoveryError> {
    findings.extend(byte_order_mark(body));
    let mut members = Members::new(object(body, document)?, Some(base), options.url_policy);
    let token = members.checked_url(Endpoint::Token.member());
    let token = settle_token_endpoint(token, options, document)?;
    let (configuration, read) = SmartConfiguration::from_members(token, members);
    findings.extend(read);
    finish(base, configuration, Source::WellKnown, findings, options, document)
}

/// Reads a CapabilityStatement or Conformance.
pub(super) fn from_metadata(
    body: &[u8],
    base: &FhirBaseUrl,
    options: &DiscoveryOptions,
    document: &str,
) -> Result<Discovered, DiscoveryError> {
    let statement = CapabilityStatement::from_object(object(body, document)?).map_err(|found| {
        DiscoveryError::NotCapabilityStatement { document: document.to_owned(), found: shown(&found, 80) }
    })?;
    if statement.oauth_uris.is_empty() {
        let base_shown = base.as_str().to_owned();
        return Discovered::from_overrides(base, options).map_err(|e| match e {
            DiscoveryError::Missing { .. } => DiscoveryError::NoSmart { base: base_shown },
            other => other,
        });
    }
    let mut renamed = Map::new();
    for endpoint in Endpoint::ALL {
        if let Some(uri) = endpoint.oauth_uris_name().and_then(|name| statement.oauth_uris.get(name)) {
            renamed.insert(endpoint.member().to_owned(), Value::from(uri.as_str()));
        }
    }
    if !statement.capabilities.is_empty() {
        let words: Vec<_> = statement.capabilities.iter().map(Capability::as_str).collect();
        renamed.insert("capabilities".to_owned(), Value::from(words));
    }
    let mut members = Members::new(renamed, Some(base), options.url_policy);
    let token = settle_token_endpoint(members.checked_url(Endpoint::Token.member()), options, document)?;
    let (configuration, mut findings) = SmartConfiguration::from_members(token, members);
    findings.push(Finding::new(
        FindingCode::FromCapabilityStatement,
        "the endpoints come from the CapabilityStatement; this is the way of SMART 1, deprecated since 2.0",
    ));
    finish(base, configuration, Source::CapabilityStatement, findings, options, document)
}

/// The caller's token endpoint, else the document's, else an error.
fn settle_token_endpoint(
    read: Result<Option<Url>, crate::url_policy::UrlError>,
    options: &DiscoveryOptions,
    document: &str,
) -> Result<Url, DiscoveryError> {
    let member = Endpoint::Token.member();
    if let Some(url) = options.overrides.get(Endpoint::Token) {
        return Ok(url.clone());
    }
    match read {
        Ok(Some(url)) => Ok(url),
        Ok(None) => Err(DiscoveryError::Missing { document: document.to_owned(), member }),
        Err(reason) => Err(DiscoveryError::Endpoint { document: document.to_owned(), member, reason }),
    }
}

/// Applies the overrides, checks, and lets the caller's policy decide.
fn finish(
    base: &FhirBaseUrl,
    mut configuration: SmartConfiguration,
    source: Source,
    mut findings: Vec<Finding>,
    options: &DiscoveryOptions,
    document: &str,
) -> Result<Discovered, DiscoveryError> {
    options.overrides.check(options.url_policy)?;
    options.overrides.apply(&mut configuration, &mut findings);
    let version = SmartVersion::guess(&configuration);
    match source {
        Source::WellKnown => validate(&configuration, version, &mut findings),
        // What a CapabilityStatement cannot say is nothing that it lacks; but who demands that S256 is listed must not
        // get a server that lists nothing.
        Source::CapabilityStatement => {
            findings.retain(|f| f.code != FindingCode::CapabilitiesMissing);
            findings.push(no_challenge_methods());
        }
        // The caller's word needs no document.
        Source::Overrides => {}
    }
    options.policy.grade(&mut findings);
    let report = ValidationReport::new(findings);
    if let Some(finding) = report.findings.iter().find(|f| f.severity == Severity::Fatal) {
        return Err(refusal(finding, &configuration, document));
    }
    Ok(Discovered { fhir_base: base.clone(), configuration, source, version, report })
}

fn refusal(finding: &Finding, configuration: &SmartConfiguration, document: &str) -> DiscoveryError {
    let document = document.to_owned();
    if matches!(finding.code, FindingCode::S256NotListed | FindingCode::CodeChallengeMethodsMissing) {
        let listed = configuration.code_challenge_methods_supported.iter().flatten();
        return DiscoveryError::S256NotSupported { document, listed: listed.map(|m| shown(m, 40)).take(10).collect() };
    }
    DiscoveryError::Refused { document, finding: Box::new(finding.clone()) }
}
