//! What is wrong with a discovery document, how grave it is, and which section says so.

use serde::Serialize;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A departure that costs nothing, or may cost a feature.
    Warning,
    /// The server breaks a rule; something that it offers cannot be used.
    Error,
    /// The caller's [`DiscoveryPolicy`](super::DiscoveryPolicy) refuses the server for it.
    Fatal,
}

macro_rules! finding_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $severity:ident, $section:literal, $requirement:literal;)+) => {
        /// What was found. Each has a usual severity, the section of SMART App Launch 2.2 (or an RFC) that it
        /// departs from, and the id of the requirement that it tests.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum FindingCode {
            $($(#[$doc])* $variant,)+
        }

        impl FindingCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as text.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// How grave it is when the caller's policy says nothing else.
            pub fn usual_severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// The section that it departs from.
            pub fn section(self) -> &'static str {
                match self { $(Self::$variant => $section,)+ }
            }

            /// The requirement that it tests.
            pub fn requirement(self) -> &'static str {
                match self { $(Self::$variant => $requirement,)+ }
            }
        }
    };
}

finding_codes! {
    /// `code_challenge_methods_supported` is there and lacks `S256`.
    S256NotListed = "s256-not-listed", Error, "SMART, conformance, Metadata; RFC 7636, 4.2", "DI-12";
    /// `code_challenge_methods_supported` is missing. S256 is sent all the same.
    CodeChallengeMethodsMissing = "code-challenge-methods-missing", Warning, "SMART, conformance, Metadata", "DI-12";
    /// `code_challenge_methods_supported` lists `plain`, which SMART forbids. It is never used.
    PlainListed = "plain-listed", Warning, "SMART, conformance, Metadata; RFC 9700, 2.1.1", "DI-12";
    /// `grant_types_supported` is missing, though the server is of SMART 2.
    GrantTypesMissing = "grant-types-missing", Error, "SMART, conformance, Metadata", "DI-04";
    /// `capabilities` is missing.
    CapabilitiesMissing = "capabilities-missing", Error, "SMART, conformance, Metadata", "DI-04";
    /// The document is of SMART 1, which has neither `grant_types_supported` nor `code_challenge_methods_supported`.
    SmartOne = "smart-one", Info, "SMART 1.0, conformance", "DI-04";
    /// A launch is offered, but no usable `authorization_endpoint`.
    AuthorizationEndpointMissing = "authorization-endpoint-missing", Error, "SMART, conformance, Metadata", "DI-05";
    /// Single sign-on, or an issuer in each authorization answer, is promised, but there is no usable `issuer`.
    IssuerMissing = "issuer-missing", Error, "SMART, conformance, Metadata", "DI-05";
    /// Single sign-on is offered, but no usable `jwks_uri`.
    JwksUriMissing = "jwks-uri-missing", Error, "SMART, conformance, Metadata", "DI-05";
    /// A member is not of its type; it is left where it was, unread.
    MemberMalformed = "member-malformed", Warning, "SMART, conformance, Metadata", "DI-06";
    /// The authentication methods stand under the name that the text of SMART 1 uses.
    AuthMethodsAlias = "auth-methods-alias", Info, "SMART 1.0, conformance", "DI-07";
    /// An endpoint is a relative URL; it was resolved against the FHIR base.
    RelativeEndpoint = "relative-endpoint", Warning, "SMART, conformance, Metadata", "DI-08";
    /// A capability has an older spelling.
    LegacyCapability = "legacy-capability", Info, "SMART, conformance, Capabilities", "DI-09";
    /// A capability that SMART does not define.
    UnknownCapability = "unknown-capability", Info, "SMART, conformance, Capabilities", "DI-09";
    /// The server does not list a capability that the flow needs.
    CapabilityNotListed = "capability-not-listed", Warning, "SMART, conformance, Capabilities", "DI-11";
    /// `grant_types_supported` lacks the grant that the flow uses.
    GrantNotListed = "grant-not-listed", Warning, "SMART, conformance, Metadata", "BS-06";
    /// `token_endpoint_auth_methods_supported` lacks the only method that the flow can use.
    AuthMethodNotListed = "auth-method-not-listed", Warning, "SMART, conformance, Metadata", "BS-06";
    /// An endpoint may not be used: not https, no URL, with credentials or a fragment. It is left out.
    EndpointRefused = "endpoint-refused", Error, "RFC 6749, 3.1 and 3.2; SMART, app protection", "DI-13";
    /// The endpoints come from the CapabilityStatement, deprecated since SMART 2.0.
    FromCapabilityStatement = "from-capability-statement", Warning, "SMART 1.0, conformance", "DI-14";
    /// Endpoints were given by the caller, not by the server.
    EndpointOverridden = "endpoint-overridden", Info, "SMART, conformance", "DI-15";
    /// The document came with another content type than JSON.
    ContentType = "content-type", Warning, "SMART, conformance, Response", "DI-03";
    /// The document begins with a byte order mark.
    ByteOrderMark = "byte-order-mark", Info, "RFC 8259, 8.1", "DI-03";
    /// `smart_app_state_endpoint`, the way of SMART 2.1.
    DeprecatedAppStateEndpoint = "deprecated-app-state-endpoint", Info, "SMART 2.1, app state", "DI-18";
    /// `userAccessBrands`, which an example of the specification has, is no defined member.
    MisnamedBrands = "misnamed-brands", Info, "SMART, brands", "DI-06";
    /// A launch is offered, but `grant_types_supported` lacks `authorization_code`.
    AuthorizationCodeNotListed = "authorization-code-not-listed", Warning, "SMART, conformance, Metadata", "DI-04";
    /// Clients with keys are welcome, but `private_key_jwt`, or an algorithm that SMART names, is not listed.
    AsymmetricNotListed = "asymmetric-not-listed", Warning, "SMART, client-confidential-asymmetric", "DI-07";
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub code: FindingCode,
    /// How grave it is under the caller's policy.
    pub severity: Severity,
    /// What was found, in a sentence; text of the server is cut and cleaned.
    pub message: String,
    /// The section that it departs from.
    pub section: &'static str,
    /// The requirement that it tests.
    pub requirement: &'static str,
}

impl Finding {
    /// A finding with its usual severity.
    pub fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.usual_severity(),
            message: message.into(),
            section: code.section(),
            requirement: code.requirement(),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}; {})", self.message, self.code.as_str(), self.section)
    }
}

/// Everything that was found in a document, the gravest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ValidationReport {
    /// The findings.
    pub findings: Vec<Finding>,
}

impl ValidationReport {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
        Self { findings }
    }

    /// Whether the document departs from nothing worse than [`Severity::Info`].
    pub fn is_clean(&self) -> bool {
        self.at_least(Severity::Warning).next().is_none()
    }

    /// Whether something was found.
    pub fn has(&self, code: FindingCode) -> bool {
        self.findings.iter().any(|f| f.code == code)
    }

    /// The findings of at least this severity.
    pub fn at_least(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |f| f.severity >= severity)
    }
}
