//! Errors as a page gets them: a JavaScript `Error` with a code and with what can be done.

use crate::launch::StartError;
use crate::options::OptionsError;
use js_sys::Reflect;
use smart_core::launch::{IssuerRefused, LaunchError};
use smart_fhir::FhirError;
use smart_flows::Error;
use wasm_bindgen::JsValue;

/// What a page is told of an error: the text says what happened and where; the code is for programs.
#[derive(Debug)]
pub struct PageError {
    code: &'static str,
    message: String,
    retryable: bool,
    login_needed: bool,
    status: Option<u16>,
    /// What the server says, as JSON. It may hold health data: a page shows it, and does not log it.
    body: Option<String>,
    needed_scope: Option<String>,
}

impl PageError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, retryable: false, login_needed: false, status: None, body: None, needed_scope: None }
    }

    /// The response of a request of the page's own that the server refuses.
    pub(crate) fn refused(status: u16, body: &[u8]) -> Self {
        Self {
            status: Some(status),
            body: Some(String::from_utf8_lossy(body).into_owned()),
            retryable: matches!(status, 429 | 502..=504),
            login_needed: status == 401,
            ..Self::new("refused", format!("the server refused the request with status {status}"))
        }
    }
}

impl From<OptionsError> for PageError {
    fn from(error: OptionsError) -> Self {
        Self::new("options", error.to_string())
    }
}

impl From<StartError> for PageError {
    fn from(error: StartError) -> Self {
        let code = match &error {
            StartError::Refused(_) | StartError::Launch(LaunchError::Refused(IssuerRefused::NotListed { .. })) => {
                "issuer-not-allowed"
            }
            StartError::NoServer => "no-server",
            _ => "launch",
        };
        Self::new(code, error.to_string())
    }
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Callback(refused) if refused.is_denied_by_person() => "denied",
            Error::Callback(_) => "callback",
            Error::NoPendingLogin => "no-pending-login",
            Error::Discovery(_) => "discovery",
            Error::Http(_) => "network",
            Error::Token(_) => "token",
            Error::IdToken { .. } | Error::IssuerDocuments { .. } => "id-token",
            Error::Store(_) | Error::StoredSession { .. } | Error::PendingLogin { .. } => "store",
            Error::SessionOver { .. } | Error::SessionTimeout { .. } => "session-over",
            Error::Expired { .. } => "expired",
            Error::NoPatient { .. } => "no-patient",
            Error::RenewalDelayed { .. } => "renewal-delayed",
            Error::NotSupported { .. } => "not-supported",
            _ => "error",
        };
        let (retryable, login_needed) = (error.is_retryable(), error.needs_reauthorization());
        Self { retryable, login_needed, ..Self::new(code, error.to_string()) }
    }
}

impl From<FhirError> for PageError {
    fn from(error: FhirError) -> Self {
        let code = match &error {
            FhirError::Http(_) => "network",
            FhirError::Authorize { error, .. } if error.is_not_permitted() => "not-permitted",
            FhirError::Authorize { .. } => "authorization",
            FhirError::Refused(_) => "refused",
            FhirError::OtherResource { .. } => "other-resource",
            FhirError::OutsideBase { .. } | FhirError::ForeignPage { .. } => "outside-base",
            FhirError::InvalidId
            | FhirError::InvalidType
            | FhirError::InvalidSearch { .. }
            | FhirError::InvalidResource { .. }
            | FhirError::InvalidRequest { .. }
            | FhirError::Reference(_) => "request",
            _ => "response",
        };
        let refusal = match &error {
            FhirError::Refused(refusal) => Some(refusal),
            _ => None,
        };
        Self {
            retryable: error.is_retryable(),
            login_needed: error.needs_reauthorization(),
            status: refusal.map(|refusal| refusal.status()),
            body: refusal.map(|refusal| String::from_utf8_lossy(refusal.body()).into_owned()),
            needed_scope: error.needed_scope().map(str::to_owned),
            ..Self::new(code, error.to_string())
        }
    }
}

impl From<PageError> for JsValue {
    fn from(error: PageError) -> Self {
        let told = js_sys::Error::new(&error.message);
        told.set_name("SmartError");
        let set = |name: &str, value: JsValue| {
            // A plain object takes any member.
            let _ = Reflect::set(&told, &JsValue::from_str(name), &value);
        };
        set("code", error.code.into());
        set("retryable", error.retryable.into());
        set("loginNeeded", error.login_needed.into());
        if let Some(status) = error.status {
            set("status", f64::from(status).into());
        }
        if let Some(scope) = error.needed_scope {
            set("neededScope", scope.into());
        }
        if let Some(body) = error.body {
            set("body", body.into());
        }
        told.into()
    }
}
