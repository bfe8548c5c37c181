//! The error codes of an authorization response.

use crate::open_codes::open_codes;

open_codes! {
    /// Why the authorization server did not give a code (RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6).
    AuthorizationErrorCode {
        /// The request is malformed, or a parameter is missing, repeated or wrong.
        InvalidRequest = "invalid_request",
        /// The client may not use this way of asking.
        UnauthorizedClient = "unauthorized_client",
        /// The person or the server said no.
        AccessDenied = "access_denied",
        /// The server does not give codes this way.
        UnsupportedResponseType = "unsupported_response_type",
        /// A scope is unknown, malformed or not allowed.
        InvalidScope = "invalid_scope",
        /// The server failed.
        ServerError = "server_error",
        /// The server is overloaded or under maintenance.
        TemporarilyUnavailable = "temporarily_unavailable",
        /// The person would have to be asked something.
        InteractionRequired = "interaction_required",
        /// The person would have to log in.
        LoginRequired = "login_required",
        /// The person would have to choose an account.
        AccountSelectionRequired = "account_selection_required",
        /// The person would have to consent.
        ConsentRequired = "consent_required",
        /// The `request_uri` is wrong.
        InvalidRequestUri = "invalid_request_uri",
        /// The request object is wrong.
        InvalidRequestObject = "invalid_request_object",
        /// `request` is not supported.
        RequestNotSupported = "request_not_supported",
        /// `request_uri` is not supported.
        RequestUriNotSupported = "request_uri_not_supported",
        /// `registration` is not supported.
        RegistrationNotSupported = "registration_not_supported",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CB-02 (RFC 6749 4.1.2.1; OpenID Connect Core 3.1.2.6): each code has a variant, others are kept.
    #[test]
    fn every_code_maps_to_its_variant_and_back() {
        let known = [
            "invalid_request",
            "unauthorized_client",
            "access_denied",
            "unsupported_response_type",
            "invalid_scope",
            "server_error",
            "temporarily_unavailable",
            "interaction_required",
            "login_required",
            "account_selection_required",
            "consent_required",
            "invalid_request_uri",
            "invalid_request_object",
            "request_not_supported",
            "request_uri_not_supported",
            "registration_not_supported",
        ];
        for code in known {
            let parsed = AuthorizationErrorCode::from(code);
            assert!(!matches!(parsed, AuthorizationErrorCode::Other(_)), "{code}");
            assert_eq!(parsed.as_str(), code);
        }
        assert_eq!(AuthorizationErrorCode::from("x_vendor"), AuthorizationErrorCode::Other("x_vendor".into()));
    }
}
