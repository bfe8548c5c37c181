//! The table. Where each fact was read stands in `docs/src/servers`.

use super::backend::BackendAccess;
use super::kind::ServerKind;
use super::preferences::{ClinicalScopes, Preferences, ScopeStyle};
use super::recognise::BasePattern;
use super::relaxations::{KnownEndpoints, Relaxations};
use super::settings::ServerSettings;
use crate::token::BasicEncoding;

/// What is known of one kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerProfile {
    /// Which kind.
    pub kind: ServerKind,
    /// Its name for people.
    pub title: &'static str,
    /// How it likes requests to be written.
    pub preferences: Preferences,
    /// What it needs to be let through. It takes effect by [`choose`](Self::choose) alone.
    pub relaxations: Relaxations,
    /// What an app has to know besides, a sentence each.
    pub notes: &'static [&'static str],
    pub(super) bases: &'static [BasePattern],
}

impl ServerProfile {
    /// The profile of a kind.
    pub fn of(kind: ServerKind) -> &'static Self {
        match kind {
            ServerKind::Generic => &GENERIC,
            ServerKind::Epic => &EPIC,
            ServerKind::OracleHealth => &ORACLE_HEALTH,
            ServerKind::SmartHealthIt => &SMART_HEALTH_IT,
            ServerKind::GoogleHealthcare => &GOOGLE_HEALTHCARE,
            ServerKind::Athenahealth => &ATHENAHEALTH,
            ServerKind::Medplum => &MEDPLUM,
            ServerKind::Hapi => &HAPI,
            ServerKind::HealthLake => &HEALTH_LAKE,
            ServerKind::Azure => &AZURE,
        }
    }

    /// The settings with all that the profile asks for, relaxations included.
    ///
    /// For a kind that stands in the app's own configuration. A server that was only recognised by its URL gets
    /// [`Recognised::settings`](super::Recognised::settings).
    pub fn choose(&self) -> ServerSettings {
        ServerSettings::chosen(self.preferences, self.relaxations)
    }
}

/// All profiles, in the order of [`ServerKind::ALL`].
pub fn profiles() -> &'static [ServerProfile] {
    &PROFILES
}

static PROFILES: [ServerProfile; 10] =
    [GENERIC, EPIC, ORACLE_HEALTH, SMART_HEALTH_IT, GOOGLE_HEALTHCARE, ATHENAHEALTH, MEDPLUM, HAPI, HEALTH_LAKE, AZURE];

static GENERIC: ServerProfile = ServerProfile {
    kind: ServerKind::Generic,
    title: "a SMART server",
    preferences: Preferences::SMART,
    relaxations: Relaxations::NONE,
    notes: &[],
    bases: &[],
};

static EPIC: ServerProfile = ServerProfile {
    kind: ServerKind::Epic,
    title: "Epic",
    preferences: Preferences {
        scope_style: ScopeStyle::AsWritten,
        client_id_header: Some("Epic-Client-ID"),
        backend: BackendAccess::SmartAsRegistered,
        ..Preferences::SMART
    },
    relaxations: Relaxations::NONE,
    notes: &[
        "What is granted follows the app's registration, whatever is asked for; the granted scopes can hold malformed ones.",
        "A public client gets no refresh token, and the answer to a refresh brings no new one.",
        "The authorization request by POST works in an EHR launch only.",
        "A backend service has to publish its keys at a URL; a `jti` has at most 151 characters.",
    ],
    // Each customer has a host of its own; the end of the path is the same at all of them.
    bases: &[
        BasePattern::host("fhir.epic.com"),
        BasePattern::any_host("/api/FHIR/R4/"),
        BasePattern::any_host("/api/FHIR/STU3/"),
        BasePattern::any_host("/api/FHIR/DSTU2/"),
    ],
};

static ORACLE_HEALTH: ServerProfile = ServerProfile {
    kind: ServerKind::OracleHealth,
    title: "Oracle Health (Cerner)",
    preferences: Preferences {
        scope_style: ScopeStyle::AsWritten,
        clinical_scopes: ClinicalScopes::NoWildcards,
        ..Preferences::SMART
    },
    // About a fifth of its endpoints list no PKCE methods; whether the list is empty or missing is not recorded.
    relaxations: Relaxations { unlisted_s256: true, ..Relaxations::NONE },
    notes: &[
        "Scopes are cut to those registered, in the syntax that was registered; none left is `invalid_scope` with an `error_uri`.",
        "An access token lives for 570 seconds; a refresh within a minute of the last may be throttled.",
        "A refresh brings no new refresh token. `online_access` ends with the person's session.",
        "The tenant is part of FHIR base and endpoints, and whether the app is for patients or staff of the authorization endpoint.",
    ],
    bases: &[BasePattern::host(".cerner.com")],
};

static SMART_HEALTH_IT: ServerProfile = ServerProfile {
    kind: ServerKind::SmartHealthIt,
    title: "SMART Health IT launcher",
    preferences: Preferences {
        basic_encoding: BasicEncoding::Raw,
        introspection_by_bearer: true,
        ..Preferences::SMART
    },
    // Refreshed ID tokens have no `aud`.
    relaxations: Relaxations { renewed_id_token_ignored: true, ..Relaxations::NONE },
    notes: &[
        "Its settings stand in the FHIR base, as a code; see the module `launcher`.",
        "Any client id and redirect URI will do, unless the code names some.",
        "There is no revocation, and a refreshed ID token has neither `aud` nor `nonce`.",
    ],
    bases: &[
        BasePattern::host("launch.smarthealthit.org"),
        BasePattern::host("launcher.smarthealthit.org"),
        BasePattern::host("smart.argo.run"),
    ],
};

static GOOGLE_HEALTHCARE: ServerProfile = ServerProfile {
    kind: ServerKind::GoogleHealthcare,
    title: "Google Cloud Healthcare API",
    preferences: Preferences {
        clinical_scopes: ClinicalScopes::Foreign,
        authorize_extra: &[("access_type", "offline")],
        backend: BackendAccess::Platform { scope: "https://www.googleapis.com/auth/cloud-healthcare" },
        ..Preferences::SMART
    },
    relaxations: Relaxations { endpoints: KnownEndpoints::Google, ..Relaxations::NONE },
    notes: &[
        "A FHIR store has no SMART authorization server: people sign in at Google, services use a service account, and IAM decides.",
        "SMART scopes reach it in the headers X-Authorization-Scope and X-Authorization-Patient, which a proxy of the operator's sets.",
        "A refresh token comes for `access_type=offline`, not for a scope.",
    ],
    bases: &[BasePattern::host("healthcare.googleapis.com").with_path("/fhirStores/")],
};

static ATHENAHEALTH: ServerProfile = ServerProfile {
    kind: ServerKind::Athenahealth,
    title: "athenahealth",
    preferences: Preferences { scope_style: ScopeStyle::AsWritten, ..Preferences::SMART },
    relaxations: Relaxations::NONE,
    notes: &[
        "`aud` may be compared letter by letter: give the FHIR base as it is documented, without a slash at its end.",
        "The issuer is on another host than the endpoints.",
        "The token endpoint sends no CORS headers: an app in a browser needs a server of its own.",
    ],
    bases: &[BasePattern::host(".platform.athenahealth.com").with_path("/fhir/r4/")],
};

static MEDPLUM: ServerProfile = ServerProfile {
    kind: ServerKind::Medplum,
    title: "Medplum",
    preferences: Preferences {
        basic_encoding: BasicEncoding::Raw,
        refresh_token_dead: Some("invalid_request"),
        ..Preferences::SMART
    },
    relaxations: Relaxations::NONE,
    notes: &[
        "A code that was redeemed under PKCE is good without the client's secret.",
        "A dead refresh token is answered with `invalid_request`, as is a wrong secret or client.",
        "Refresh tokens rotate. The keys of a client have to be published at a URL.",
    ],
    bases: &[BasePattern::host("api.medplum.com").with_path("/fhir/R4/")],
};

static HAPI: ServerProfile = ServerProfile {
    kind: ServerKind::Hapi,
    title: "HAPI FHIR",
    preferences: Preferences { backend: BackendAccess::Open, ..Preferences::SMART },
    relaxations: Relaxations::NONE,
    notes: &[
        "The public test server asks for no token and has no smart-configuration: use the FHIR client without a session.",
        "A HAPI server behind an authorization server of the operator's own is the generic profile.",
    ],
    bases: &[BasePattern::host("hapi.fhir.org")],
};

static HEALTH_LAKE: ServerProfile = ServerProfile {
    kind: ServerKind::HealthLake,
    title: "AWS HealthLake",
    preferences: Preferences::SMART,
    relaxations: Relaxations::NONE,
    notes: &[
        "Its smart-configuration is what the operator wrote into the data store: it describes the operator's authorization server.",
        "The token answer of Amazon Cognito, where that is the authorization server, has no `scope`.",
        "A data store without SMART takes signed AWS requests (SigV4), which this library does not make.",
        "The endpoint of a data store ends in a slash.",
    ],
    bases: &[BasePattern::host(".amazonaws.com").with_first_label("healthlake").with_path("/datastore/")],
};

static AZURE: ServerProfile = ServerProfile {
    kind: ServerKind::Azure,
    title: "Azure Health Data Services",
    preferences: Preferences { backend: BackendAccess::PlatformDefaultScope, ..Preferences::SMART },
    relaxations: Relaxations::NONE,
    notes: &[
        "A FHIR service names the endpoints of Microsoft Entra without issuer and keys; give a tenant to `entra_endpoints` for ID tokens.",
        "Full SMART takes the operator's own front, such as Microsoft's sample: it drops `nonce`, so do not ask it for `openid`.",
        "Entra's first version (v1) writes `expires_in` as a string.",
    ],
    bases: &[BasePattern::host(".azurehealthcareapis.com"), BasePattern::host("azurehealthcareapis.com")],
};
