//! Whether metadata makes a client that SMART can work with.

use super::error::MetadataError;
use super::grant_type::GrantType;
use super::metadata::ClientMetadata;
use crate::discovery::AuthMethod;

impl ClientMetadata {
    /// Checks that the members fit together (RFC 7591, sections 2 and 2.1): a redirect URI for the grant
    /// `authorization_code`, the response type `code` with it and only with it, a key for `private_key_jwt`, and client
    /// authentication for `client_credentials`.
    ///
    /// With a software statement what seems missing may stand there, and is let through. Which grants, methods and
    /// scopes a server takes is for it to say.
    ///
    /// # Errors
    /// [`MetadataError`], the first that was found.
    pub fn check(&self) -> Result<(), MetadataError> {
        let may_be_stated = self.software_statement.is_some();
        let code_grant = self.uses(&GrantType::AuthorizationCode);
        if code_grant && self.redirect_uris.is_empty() && !may_be_stated {
            return Err(MetadataError::new("redirect_uris", "is missing: the grant authorization_code needs one"));
        }
        let code_response = self.response_types.as_ref().is_none_or(|types| types.iter().any(|t| t == "code"));
        if code_grant && !code_response {
            return Err(MetadataError::new("response_types", "lacks `code`, which the grant authorization_code needs"));
        }
        if !code_grant && code_response && !(may_be_stated && self.response_types.is_none()) {
            return Err(MetadataError::new("response_types", "has `code` without the grant authorization_code"));
        }
        let method = self.auth_method();
        if method == AuthMethod::PrivateKeyJwt && self.keys.is_none() && !may_be_stated {
            return Err(MetadataError::new("jwks_uri", "is missing, and so is `jwks`: private_key_jwt needs a key"));
        }
        if method == AuthMethod::None && self.uses(&GrantType::ClientCredentials) {
            return Err(MetadataError::new(
                "token_endpoint_auth_method",
                "is `none`, but the grant client_credentials needs client authentication",
            ));
        }
        Ok(())
    }
}
