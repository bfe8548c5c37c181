//! The checks of a discovery document that has been read.

use super::auth_method::AuthMethod;
use super::capability::Capability;
use super::report::{Finding, FindingCode as Code};
use super::smart_configuration::{S256Support, SmartConfiguration};
use super::version::SmartVersion;
use crate::untrusted::shown;

/// Notes a document that lists no PKCE methods at all.
pub(super) fn no_challenge_methods() -> Finding {
    let message = "`code_challenge_methods_supported` is missing; S256 is sent all the same";
    Finding::new(Code::CodeChallengeMethodsMissing, message)
}

/// Checks a document that came from `.well-known/smart-configuration`.
pub(super) fn validate(configuration: &SmartConfiguration, version: SmartVersion, findings: &mut Vec<Finding>) {
    let mut note = |code, message: String| findings.push(Finding::new(code, message));
    required(configuration, version, &mut note);
    pkce(configuration, &mut note);
    conditional(configuration, version, &mut note);
    asymmetric(configuration, &mut note);
    capabilities(configuration, &mut note);
    if configuration.smart_app_state_endpoint.is_some() {
        note(
            Code::DeprecatedAppStateEndpoint,
            "`smart_app_state_endpoint` was replaced by `associated_endpoints` in 2.2".into(),
        );
    }
    if configuration.other.contains_key("userAccessBrands") {
        let message = "`userAccessBrands` is not read; the members are `user_access_brand_bundle` and \
                       `user_access_brand_identifier`";
        note(Code::MisnamedBrands, message.into());
    }
}

fn launches(configuration: &SmartConfiguration) -> bool {
    configuration.supports(&Capability::LaunchEhr) || configuration.supports(&Capability::LaunchStandalone)
}

fn required(configuration: &SmartConfiguration, version: SmartVersion, note: &mut impl FnMut(Code, String)) {
    if version == SmartVersion::V1 {
        note(Code::SmartOne, "the document is of SMART 1: scopes in its syntax are used, and PKCE is sent".into());
    } else if configuration.grant_types_supported.is_none() {
        note(Code::GrantTypesMissing, "`grant_types_supported` is missing".into());
    }
    let no_code_grant =
        configuration.grant_types_supported.as_ref().is_some_and(|g| !g.iter().any(|g| g == "authorization_code"));
    if launches(configuration) && no_code_grant {
        note(
            Code::AuthorizationCodeNotListed,
            "a launch is offered, but `grant_types_supported` lacks `authorization_code`".into(),
        );
    }
}

fn pkce(configuration: &SmartConfiguration, note: &mut impl FnMut(Code, String)) {
    let listed = configuration.code_challenge_methods_supported.as_deref().unwrap_or_default();
    match configuration.s256() {
        S256Support::Listed => {}
        S256Support::NotListed => {
            let listed: Vec<_> = listed.iter().map(|m| shown(m, 40)).collect();
            let message = format!("`code_challenge_methods_supported` lacks `S256`; it has [{}]", listed.join(", "));
            note(Code::S256NotListed, message);
        }
        S256Support::Unknown => {
            let finding = no_challenge_methods();
            note(finding.code, finding.message);
        }
    }
    if listed.iter().any(|m| m == "plain") {
        note(Code::PlainListed, "`code_challenge_methods_supported` has `plain`, which SMART forbids".into());
    }
}

fn conditional(configuration: &SmartConfiguration, version: SmartVersion, note: &mut impl FnMut(Code, String)) {
    if configuration.authorization_endpoint.is_none() {
        if launches(configuration) {
            let message = "a launch is offered, but there is no usable `authorization_endpoint`";
            note(Code::AuthorizationEndpointMissing, message.into());
        } else if version == SmartVersion::V1 {
            let message = "there is no usable `authorization_endpoint`, which SMART 1 requires of every server";
            note(Code::AuthorizationEndpointMissing, message.into());
        }
    }
    if configuration.authorization_response_iss_parameter_supported == Some(true) && configuration.issuer.is_none() {
        let message = "`authorization_response_iss_parameter_supported` promises an issuer in each answer, but there is \
                       no usable `issuer` to compare it with: every login will be refused";
        note(Code::IssuerMissing, message.into());
    }
    if configuration.supports(&Capability::SsoOpenidConnect) {
        if configuration.issuer.is_none() {
            note(Code::IssuerMissing, "`sso-openid-connect` is offered, but there is no usable `issuer`".into());
        }
        if configuration.jwks_uri.is_none() {
            note(Code::JwksUriMissing, "`sso-openid-connect` is offered, but there is no usable `jwks_uri`".into());
        }
    }
}

fn asymmetric(configuration: &SmartConfiguration, note: &mut impl FnMut(Code, String)) {
    if !configuration.supports(&Capability::ClientConfidentialAsymmetric) {
        return;
    }
    let methods = configuration.token_endpoint_auth_methods_supported.as_ref();
    if methods.is_some_and(|methods| !methods.contains(&AuthMethod::PrivateKeyJwt)) {
        note(
            Code::AsymmetricNotListed,
            "`client-confidential-asymmetric` is offered, but `private_key_jwt` is not listed".into(),
        );
    }
    let algorithms = configuration.token_endpoint_auth_signing_alg_values_supported.as_ref();
    if algorithms.is_some_and(|list| !list.iter().any(|a| a == "RS384" || a == "ES384")) {
        note(
            Code::AsymmetricNotListed,
            "`client-confidential-asymmetric` is offered, but neither RS384 nor ES384 is listed".into(),
        );
    }
}

fn capabilities(configuration: &SmartConfiguration, note: &mut impl FnMut(Code, String)) {
    for capability in &configuration.capabilities {
        if capability.is_legacy() {
            note(Code::LegacyCapability, format!("`{capability}` was read as `{}`", capability.current()));
        } else if !capability.is_known() {
            note(Code::UnknownCapability, format!("`{capability}` is no capability of SMART; it is kept"));
        }
    }
}
