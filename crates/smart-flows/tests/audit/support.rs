//! What the tests have in common: a clock that ticks, randomness that repeats, and events of each kind.

use http::Method;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::random::{RandomError, SecureRandom};
use smart_core::scope::Scopes;
use smart_core::secret::AccessToken;
use smart_core::time::{Clock, Timestamp};
use smart_flows::audit::{
    AuditContext, AuditEntry, AuditError, AuditEvent, AuditKey, AuditKind, AuditSink, Auditor, AuditorBuilder,
    EndpointRole, LaunchKind, Outcome, Reason, RequestLine, SessionHandle, StoreKind, TokenId,
};
use smart_store::{Key, Kind};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use url::Url;

/// The first second of the tests: 2027-01-15T08:00:00Z.
pub(crate) const START: i64 = 1_800_000_000;

pub(crate) const BASE: &str = "https://ehr.example/r4";
pub(crate) const ISSUER: &str = "https://login.ehr.example";

/// A clock that goes on by a second each time it is asked.
pub(crate) struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Counts up: no two events have one id, and each run has the same.
pub(crate) struct Counting(AtomicI64);

impl SecureRandom for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        let n = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        buffer.iter_mut().zip(n.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

pub(crate) fn builder() -> AuditorBuilder {
    Auditor::builder(Arc::new(Ticking(AtomicI64::new(START))), Arc::new(Counting(AtomicI64::new(1))))
}

/// An auditor with one sink.
pub(crate) fn auditor(sink: impl AuditSink + 'static) -> Auditor {
    builder().sink(sink).build()
}

pub(crate) fn audit_key(octet: u8) -> AuditKey {
    AuditKey::from_octets(&[octet; 32]).unwrap()
}

pub(crate) fn base() -> FhirBaseUrl {
    FhirBaseUrl::parse(BASE).unwrap()
}

pub(crate) fn session() -> SessionHandle {
    SessionHandle::of(&Key::new(Kind::Session, BASE, "", "session-1"))
}

pub(crate) fn token() -> TokenId {
    TokenId::access(&AccessToken::new("the-access-token"))
}

pub(crate) fn request(method: &Method, relative: &str) -> RequestLine {
    RequestLine::new(method, &base().join(relative).unwrap(), &base())
}

/// A clinician in a session, with a patient in context.
pub(crate) fn context() -> AuditContext {
    AuditContext::new()
        .fhir_base(&base())
        .client(&"my-app".into())
        .session(session())
        .user(ISSUER, "dr-lee")
        .patient("ada-1")
}

/// An event as it is usual for a kind.
pub(crate) fn usual(kind: AuditKind) -> AuditEntry {
    use AuditKind as K;
    let entry = context().entry(kind);
    let at = |role, path: &str| (role, Url::parse(ISSUER).unwrap().join(path).unwrap());
    let endpoint = |entry: AuditEntry, (role, url): (EndpointRole, Url)| entry.endpoint(role, &url);
    match kind {
        K::LaunchBegun => entry.launch(LaunchKind::Ehr),
        K::AuthenticationAttempt => endpoint(entry, at(EndpointRole::Authorization, "authorize?state=s")),
        K::AuthorizationGranted => entry.scopes(&Scopes::parse_granted("openid patient/*.rs")),
        K::AuthorizationDenied => entry.reason(Reason::ACCESS_DENIED),
        K::TokenIssued | K::TokenRefreshed => endpoint(entry, at(EndpointRole::Token, "token"))
            .token(token())
            .scopes(&Scopes::parse_granted("patient/*.rs")),
        K::TokenRevoked => endpoint(entry, at(EndpointRole::Revocation, "revoke")).token(token()),
        K::TokenIntrospected => endpoint(entry, at(EndpointRole::Introspection, "introspect")).token(token()),
        K::TokenExpired | K::TokenValidated | K::ExpiredToken | K::TamperedToken => entry.token(token()),
        K::ResourceAccessed => entry.request(request(&Method::GET, "Observation/o-1")).token(token()).status(200),
        K::ResourceModified => entry.request(request(&Method::PUT, "Observation/o-1")).token(token()).status(200),
        K::ResourceCreated => entry.request(request(&Method::POST, "Observation")).token(token()).status(201),
        K::ResourceDeleted => entry.request(request(&Method::DELETE, "Observation/o-1")).token(token()).status(204),
        K::EndpointDiscovered => entry.endpoint(EndpointRole::SmartConfiguration, base().url()),
        K::CapabilitiesLoaded => entry.request(request(&Method::GET, "metadata")).status(200),
        K::NetworkError => endpoint(entry, at(EndpointRole::Token, "token")).reason(Reason::TIMEOUT),
        K::StoreOpened => entry.store(StoreKind::EncryptedFile),
        kind if kind.outcome() == Outcome::Failure => entry.reason(Reason::OTHER),
        _ => entry,
    }
}

/// Keeps events as they are handed to sinks.
#[derive(Clone, Default)]
pub(crate) struct Keeping(Arc<Mutex<Vec<AuditEvent>>>);

impl Keeping {
    pub(crate) fn events(&self) -> Vec<AuditEvent> {
        self.0.lock().unwrap().clone()
    }
}

impl AuditSink for Keeping {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditError> {
        self.0.lock().unwrap().push(event.clone());
        Ok(())
    }
}

/// The event that an entry becomes.
pub(crate) fn recorded(entry: AuditEntry) -> AuditEvent {
    let kept = Keeping::default();
    auditor(kept.clone()).record(entry).unwrap();
    kept.events().remove(0)
}

/// What is written to the log while `work` is done.
pub(crate) fn logged(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Written {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;
        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(written.clone())
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let octets = written.0.lock().unwrap().clone();
    String::from_utf8(octets).unwrap()
}
