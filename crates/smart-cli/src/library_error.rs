//! The library's errors as the command's: one exit code each, decided here and nowhere else.

use crate::api::bulk::BulkError;
use crate::api::{
    CallbackError, CoreError, DiscoveryError, Error, FhirError, HttpError, IssuerRefused, LaunchError, LoopbackError,
    RefusalKind, StoreError, UrlError,
};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        (&error).into()
    }
}

impl From<&Error> for CliError {
    fn from(error: &Error) -> Self {
        let endpoint = error.endpoint();
        let plain = |code| Self::new(code, error.to_string());
        let shown = match error {
            Error::Core(error) => from_core(error),
            Error::Discovery(error) => from_discovery(error),
            Error::Http(error) => Self::new(http_code(error), error.to_string()),
            Error::Callback(error) | Error::Loopback(LoopbackError::Callback(error)) => from_callback(error),
            Error::Loopback(LoopbackError::Timeout(_) | LoopbackError::TooManyConnections)
            | Error::LoginCancelled
            | Error::NoPendingLogin
            | Error::PendingLogin { .. } => plain(ExitCode::CallbackRefused),
            Error::Loopback(LoopbackError::NoLaunch(_)) => plain(ExitCode::CallbackRefused)
                .with_next_step("Run the command again, and open the app from within the EHR while it waits."),
            Error::Loopback(_) => {
                plain(ExitCode::Internal).with_next_step("Choose another port with --port; --port 0 takes a free one.")
            }
            Error::Browser(_) => plain(ExitCode::Internal)
                .with_next_step("Run the command with --no-browser and open the URL that it prints by hand."),
            Error::NoKey { .. } => plain(ExitCode::Usage).with_next_step("Give the client's key with --key FILE."),
            Error::SecretForAnybody { .. } => {
                plain(ExitCode::Usage).with_next_step("Name the servers that may launch it, each with --iss-allow URL.")
            }
            Error::Assertion(_) => plain(ExitCode::TokenRefused).with_next_step(
                "Register a key of a kind that the server accepts: `smart keygen` makes one, `smart jwks` prints it.",
            ),
            Error::RenewalDelayed { .. } => {
                plain(ExitCode::UnreachableHost).with_next_step("Wait for as long as it says, and try again.")
            }
            Error::Audit(error) => crate::audit_options::failed(error),
            Error::Token(_) | Error::IdToken { .. } | Error::IssuerDocuments { .. } => plain(ExitCode::TokenRefused),
            Error::Store(error) => from_store(error),
            Error::StoredSession { .. }
            | Error::SessionOver { .. }
            | Error::SessionTimeout { .. }
            | Error::SessionLocked { .. }
            | Error::Expired { .. } => plain(ExitCode::NeedsLogin),
            Error::NoPatient { .. } => {
                plain(ExitCode::NeedsLogin).with_next_step("Log in again with `launch/patient` among the --scopes.")
            }
            Error::NotSupported { .. } => plain(ExitCode::Discovery),
            _ => plain(ExitCode::Internal),
        };
        if shown.endpoint.is_some() { shown } else { shown.at(endpoint) }
    }
}

impl From<FhirError> for CliError {
    fn from(error: FhirError) -> Self {
        let endpoint = error.endpoint().map(ToString::to_string);
        let plain = |code| Self::new(code, error.to_string());
        let shown = match &error {
            FhirError::Http(error) => Self::new(http_code(error), error.to_string()),
            FhirError::Authorize { error: reason, .. } if reason.needs_reauthorization() => plain(ExitCode::NeedsLogin),
            FhirError::Authorize { error: reason, .. } if reason.is_retryable() => plain(ExitCode::UnreachableHost),
            FhirError::Authorize { error: reason, .. } => {
                let scope = reason.needed_scope().unwrap_or("scopes that cover this request");
                plain(ExitCode::FhirError).with_next_step(format!("Log in again with {scope} among the --scopes."))
            }
            FhirError::Refused(refusal) => match refusal.kind() {
                RefusalKind::Unauthorized => plain(ExitCode::NeedsLogin),
                RefusalKind::InsufficientScope => {
                    let scope = refusal.needed_scope().unwrap_or("the scope that it needs");
                    plain(ExitCode::FhirError).with_next_step(format!("Log in again with {scope} among the --scopes."))
                }
                _ => match refusal.needed_scope() {
                    Some(scope) => plain(ExitCode::FhirError)
                        .with_next_step(format!("Log in again with {scope} among the --scopes.")),
                    None => plain(ExitCode::FhirError),
                },
            },
            FhirError::InvalidResource { .. } | FhirError::InvalidRequest { .. } | FhirError::Entry { .. } => {
                plain(ExitCode::Usage).with_next_step("Correct what is to be sent. Nothing was sent.")
            }
            FhirError::NotFhirJson { .. } | FhirError::BadJson { .. } => plain(ExitCode::FhirError)
                .with_next_step("Check the path; `smart discover URL` shows whether the base URL is right."),
            FhirError::InvalidId
            | FhirError::InvalidType
            | FhirError::InvalidSearch { .. }
            | FhirError::OutsideBase { .. } => plain(ExitCode::Usage)
                .with_next_step("Give a path below the FHIR base, such as Patient/123 or 'Observation?patient=123'."),
            _ => plain(ExitCode::FhirError),
        };
        if shown.endpoint.is_some() { shown } else { shown.at(endpoint) }
    }
}

impl From<BulkError> for CliError {
    fn from(error: BulkError) -> Self {
        let endpoint = error.endpoint().map(ToString::to_string);
        let plain = |code| Self::new(code, error.to_string());
        let again = "Run the same command with --resume to go on.";
        let shown = match &error {
            _ if error.needs_reauthorization() => plain(ExitCode::NeedsLogin),
            BulkError::Fhir(error) => error.clone().into(),
            BulkError::Http(error) => Self::new(http_code(error), error.to_string()).with_next_step(again),
            BulkError::Authorize { error: reason, .. } if reason.is_retryable() => {
                plain(ExitCode::UnreachableHost).with_next_step(again)
            }
            BulkError::InvalidRequest { .. } => plain(ExitCode::Usage),
            BulkError::Occupied { .. } => plain(ExitCode::Usage)
                .with_next_step("Go on with that export with --resume, or choose another place."),
            BulkError::Destination { .. } | BulkError::Journal { .. } => plain(ExitCode::Internal)
                .with_next_step("Check the place, its free space and your rights to it; then go on with --resume."),
            BulkError::NotStarted(_) => plain(ExitCode::FhirError).with_next_step(
                "Check that the scopes cover it, and ask for less: --type, --type-filter, --elements and --patient are not known everywhere.",
            ),
            BulkError::Gone { .. } | BulkError::Failed(_) | BulkError::ManifestChanged { .. } => {
                plain(ExitCode::FhirError).with_next_step("Start another export, to another place.")
            }
            BulkError::Line { .. } => plain(ExitCode::FhirError)
                .with_next_step("Tell the server's operator; --keep-bad-lines keeps such lines and goes on."),
            error if error.is_retryable() => plain(ExitCode::FhirError).with_next_step(again),
            _ => plain(ExitCode::FhirError),
        };
        if shown.endpoint.is_some() { shown } else { shown.at(endpoint) }
    }
}

/// An error while an existing session is used: what ends the session asks for a login, whatever it is.
pub(crate) fn again(error: &Error) -> CliError {
    let shown = CliError::from(error);
    if error.needs_reauthorization() {
        let code = ExitCode::NeedsLogin;
        return CliError { code, next_step: code.next_step().to_owned(), ..shown };
    }
    shown
}

fn from_url(error: &UrlError) -> CliError {
    let (code, given) = match error {
        UrlError::NotHttps { given } => (ExitCode::InsecureHttp, given),
        UrlError::NotAbsolute { given, .. } | UrlError::UnexpectedPart { given, .. } => (ExitCode::Usage, given),
    };
    let shown = CliError::new(code, error.to_string()).at(given.clone());
    if code == ExitCode::Usage {
        return shown.with_next_step("Give the whole base URL of the FHIR server, such as https://ehr.example/fhir.");
    }
    let insecure = given.starts_with("http:");
    if insecure {
        CliError { message: format!("`{given}` is plain http; nothing was sent to it"), ..shown }
    } else {
        shown
    }
}

fn from_core(error: &CoreError) -> CliError {
    let plain = |code| CliError::new(code, error.to_string());
    match error {
        CoreError::Url(error) | CoreError::Launch(LaunchError::Iss(error)) => from_url(error),
        CoreError::Scope(_) | CoreError::Authorization(_) => {
            plain(ExitCode::Usage).with_next_step("Correct the scopes in --scopes.")
        }
        CoreError::Launch(LaunchError::Refused(IssuerRefused::NotListed { iss })) => plain(ExitCode::Usage)
            .at(iss.clone())
            .with_next_step(format!("If you trust this server, allow it with --iss-allow {iss}.")),
        CoreError::Launch(LaunchError::Refused(IssuerRefused::PrivateAddress { iss })) => plain(ExitCode::Usage)
            .at(iss.clone())
            .with_next_step(format!("If this server is meant, name it with --iss-allow {iss}.")),
        CoreError::Launch(_) => {
            plain(ExitCode::Usage).with_next_step("Open the app from within the EHR, or run `smart login URL`.")
        }
        CoreError::RedirectUri(_) => plain(ExitCode::Usage),
        CoreError::BackendScope(_) => plain(ExitCode::Usage)
            .with_next_step("Ask for scopes that begin with system/, such as --scopes 'system/Patient.rs'."),
        CoreError::Callback(error) => from_callback(error),
        CoreError::Token(_) | CoreError::FhirUser(_) => plain(ExitCode::TokenRefused),
        _ => plain(ExitCode::Internal),
    }
}

fn from_discovery(error: &DiscoveryError) -> CliError {
    let plain = |code| CliError::new(code, error.to_string());
    match error {
        DiscoveryError::Url(error) => from_url(error),
        DiscoveryError::NotFound { .. }
        | DiscoveryError::NotJson { .. }
        | DiscoveryError::NotCapabilityStatement { .. } => plain(ExitCode::NotFhirBase),
        DiscoveryError::S256NotSupported { document, listed } => {
            let listed = if listed.is_empty() { "nothing".to_owned() } else { listed.join(", ") };
            let message =
                format!("{document} does not offer PKCE with S256 (it lists: {listed}), which SMART requires");
            CliError::new(ExitCode::Discovery, message).at(document.clone()).with_next_step(
                "Tell the server's operator: `code_challenge_methods_supported` must have S256. Nobody was logged in.",
            )
        }
        DiscoveryError::Missing { document, .. }
        | DiscoveryError::Endpoint { document, .. }
        | DiscoveryError::Refused { document, .. } => plain(ExitCode::Discovery).at(document.clone()),
        DiscoveryError::NoSmart { base }
        | DiscoveryError::NotOffered { base, .. }
        | DiscoveryError::CapabilityMissing { base, .. } => plain(ExitCode::Discovery).at(base.clone()),
        _ => plain(ExitCode::Discovery),
    }
}

fn from_callback(error: &CallbackError) -> CliError {
    let code = match error {
        _ if error.is_denied_by_person() => ExitCode::Denied,
        CallbackError::Refused { .. } => ExitCode::TokenRefused,
        _ => ExitCode::CallbackRefused,
    };
    let endpoint = match error {
        CallbackError::Refused { endpoint, .. } | CallbackError::IssuerMissing { endpoint } => Some(endpoint.clone()),
        CallbackError::Expired { server } => Some(server.clone()),
        CallbackError::OtherUrl { redirect_uri } => Some(redirect_uri.clone()),
        CallbackError::IssuerMismatch { got, .. } => Some(got.clone()),
        _ => None,
    };
    CliError::new(code, error.to_string()).at(endpoint)
}

fn from_store(error: &StoreError) -> CliError {
    if error.needs_reauthorization() {
        return CliError::new(ExitCode::NeedsLogin, error.to_string());
    }
    CliError::new(ExitCode::Internal, error.to_string())
        .with_next_step("Check the folder of the stored sessions (--data or SMART_DATA), its rights and its key.")
}

fn http_code(error: &HttpError) -> ExitCode {
    match error {
        HttpError::InvalidUrl { .. } => ExitCode::Usage,
        HttpError::BodyTooLarge { .. } => ExitCode::FhirError,
        HttpError::CrossOriginRedirect { .. }
        | HttpError::InvalidRedirect { .. }
        | HttpError::TooManyRedirects { .. } => ExitCode::NotFhirBase,
        _ => ExitCode::UnreachableHost,
    }
}
