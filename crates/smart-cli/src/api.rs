//! What the commands use of the library, by one name each.

pub(crate) use smart_on_fhir::core::app_state::AppStatePlace;
pub(crate) use smart_on_fhir::core::authorize::CallbackError;
pub(crate) use smart_on_fhir::core::discovery::{Discovered, DiscoveryError, Endpoint as SmartEndpoint, Severity};
pub(crate) use smart_on_fhir::core::entity_tag::EntityTag;
pub(crate) use smart_on_fhir::core::error::Error as CoreError;
pub(crate) use smart_on_fhir::core::fhir_base::FhirBaseUrl;
pub(crate) use smart_on_fhir::core::introspection::Introspection;
pub(crate) use smart_on_fhir::core::launch::{AllowedIssuers, EhrLaunch, IssuerRefused, LaunchError};
pub(crate) use smart_on_fhir::core::profile::{ServerKind, ServerProfile};
pub(crate) use smart_on_fhir::core::redirect_uri::RedirectUri;
pub(crate) use smart_on_fhir::core::scope::Syntax;
pub(crate) use smart_on_fhir::core::secret::ClientSecret;
pub(crate) use smart_on_fhir::core::time::{Clock, Timestamp};
pub(crate) use smart_on_fhir::core::url_policy::{UrlError, UrlPolicy, is_loopback};
pub(crate) use smart_on_fhir::fhir::bulk;
pub(crate) use smart_on_fhir::fhir::{
    Answer, EntryAnswer, EntryError, FhirClient, FhirError, Handling, Issue, Location, Operation, OperationOutcome,
    Patch, RawResource, RefusalKind, Return, SearchMode, SearchQuery, SearchValue,
};
pub(crate) use smart_on_fhir::flows::StandaloneLaunch;
pub(crate) use smart_on_fhir::flows::audit;
pub(crate) use smart_on_fhir::flows::{
    LaunchReceiver, LoginCancel, LoopbackError, LoopbackListener, SessionPolicy, SystemClock, SystemRandom,
};
pub(crate) use smart_on_fhir::http::{HttpClient, HttpError, HyperTransport};
pub(crate) use smart_on_fhir::jwt::{Jwk, Jwks, KeyError, KeyKind, SigningKey};
#[cfg(test)]
pub(crate) use smart_on_fhir::store::MemoryStore;
pub(crate) use smart_on_fhir::store::{
    EncryptedFileStore, Expected, Filter, Key, KeyFile, Kind, Passphrase, SecretBytes, Store, StoreError,
    user_data_folder,
};
pub(crate) use smart_on_fhir::{App, Error, FhirSession, Session, SmartClient};
