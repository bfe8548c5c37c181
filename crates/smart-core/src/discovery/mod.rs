//! Discovery: what a FHIR server says of its authorization (SMART App Launch 2.2, conformance).

mod auth_method;
mod body;
mod capability;
mod capability_statement;
mod discovered;
mod endpoint;
mod error;
mod flow;
mod issuer_document;
mod issuer_metadata;
mod members;
mod overrides;
mod policy;
mod report;
mod requests;
mod smart_configuration;
mod steps;
mod validate;
mod version;

pub use auth_method::AuthMethod;
pub use capability::{Capability, CapabilitySet};
pub use capability_statement::{CAPABILITIES, CapabilityStatement, OAUTH_URIS};
pub use discovered::{Discovered, Source};
pub use endpoint::Endpoint;
pub use error::DiscoveryError;
pub use flow::{Flow, GatePolicy, NotAnnounced};
pub use issuer_document::{DiscoveredIssuer, IssuerDocument};
pub use issuer_metadata::IssuerMetadata;
pub use overrides::EndpointOverrides;
pub use policy::{DiscoveryOptions, DiscoveryPolicy, S256Policy};
pub use report::{Finding, FindingCode, Severity, ValidationReport};
pub use requests::{
    metadata_request, oauth_metadata_request, openid_configuration_request, smart_configuration_request,
};
pub use smart_configuration::{AssociatedEndpoint, BrandIdentifier, S256Support, SmartConfiguration};
pub use steps::{Discovery, Step};
pub use version::SmartVersion;

pub(crate) use members::Object;
pub(crate) use requests::uri;
