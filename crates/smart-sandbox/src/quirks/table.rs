//! The habits of each kind of server. Where each was read stands in `docs/src/servers`.

use super::{
    AudRule, Authorization, BackendRules, Banner, ClientRules, Documents, Extra, FhirAccess, FhirUserForm, GrantRule,
    IdTokenOnRefresh, IdTokenRules, LaunchRule, Paths, Quirks, RefreshGiven, RefreshRules, Rotation, ScopeRules,
    TokenAnswer,
};
use smart_core::profile::ServerKind;
use smart_core::profile::launcher::{LaunchType, LauncherSettings};

/// A tenant of nobody's.
const TENANT: &str = "5a4dd0e8-0000-4000-8000-5a4dd0e80000";

impl Quirks {
    /// The habits of a kind.
    pub(crate) fn of(kind: ServerKind) -> Self {
        match kind {
            ServerKind::Epic => epic(),
            ServerKind::OracleHealth => oracle_health(),
            ServerKind::SmartHealthIt => smart_health_it(),
            ServerKind::GoogleHealthcare => google_healthcare(),
            ServerKind::Athenahealth => athenahealth(),
            ServerKind::Medplum => medplum(),
            ServerKind::Hapi => hapi(),
            ServerKind::HealthLake => health_lake(),
            ServerKind::Azure => azure(),
            // The generic one, and what may be added to the table before it is here.
            _ => Self::strict(),
        }
    }

    /// What SMART says, and nothing beside it.
    pub(crate) fn strict() -> Self {
        Self {
            paths: Paths {
                fhir: "/fhir".to_owned(),
                fhir_slash: false,
                issuer: "/auth".to_owned(),
                authorize: "/auth/authorize".to_owned(),
                token: "/auth/token".to_owned(),
                introspect: Some("/auth/introspect".to_owned()),
                revoke: Some("/auth/revoke".to_owned()),
                userinfo: Some("/auth/userinfo".to_owned()),
                keys: "/auth/jwks".to_owned(),
            },
            documents: Documents {
                smart_configuration: true,
                oauth_uris: true,
                issuer_and_keys: true,
                introspection: true,
                introspection_by_bearer: false,
                pkce_methods: Some(&["S256"]),
                grants: Some(&["authorization_code", "client_credentials", "refresh_token"]),
                auth_methods: Some(&["client_secret_basic", "client_secret_post", "private_key_jwt"]),
                auth_methods_alias: false,
                response_types: Some(&["code"]),
                scopes: Some(&[
                    "openid",
                    "fhirUser",
                    "launch",
                    "launch/patient",
                    "offline_access",
                    "online_access",
                    "patient/*.cruds",
                    "user/*.cruds",
                    "system/*.cruds",
                ]),
                capabilities: &[
                    "launch-ehr",
                    "launch-standalone",
                    "authorize-post",
                    "client-public",
                    "client-confidential-symmetric",
                    "client-confidential-asymmetric",
                    "sso-openid-connect",
                    "context-ehr-patient",
                    "context-ehr-encounter",
                    "context-standalone-patient",
                    "permission-offline",
                    "permission-online",
                    "permission-patient",
                    "permission-user",
                    "permission-v1",
                    "permission-v2",
                ],
                iss_parameter: true,
            },
            authorization: Authorization {
                aud: AudRule::SameServer,
                pkce_required: true,
                post_standalone: true,
                launch: LaunchRule::Issued,
            },
            scopes: ScopeRules {
                grant: GrantRule::Asked,
                without_wildcards: false,
                foreign: false,
                resource_prefix: false,
                refuses_nothing: false,
            },
            clients: ClientRules {
                raw_basic: false,
                refusal: (401, "invalid_client"),
                backend: Some(BackendRules { keys_by_url: false, scope_required: true }),
            },
            answer: TokenAnswer {
                lifetime: None,
                has_scope: true,
                banner: Banner::Boolean,
                extra: &[],
                error_uri: None,
                cors: true,
            },
            refresh: RefreshRules {
                given: RefreshGiven::Scope,
                rotation: Rotation::Replaced,
                dead: "invalid_grant",
                revokes_access: true,
            },
            id_token: IdTokenRules {
                fhir_user: FhirUserForm::Absolute,
                profile_claim: false,
                at_hash: true,
                lifetime: 300,
                on_refresh: IdTokenOnRefresh::Never,
            },
            fhir: FhirAccess::Scopes,
        }
    }

    /// A server that does what SMART says under other paths: `fhir`, and `authorize` and `token` below `oauth`.
    fn below(fhir: impl Into<String>, issuer: impl Into<String>, oauth: &str, keys: impl Into<String>) -> Self {
        let mut it = Self::strict();
        it.paths = Paths {
            fhir: fhir.into(),
            fhir_slash: false,
            issuer: issuer.into(),
            authorize: format!("{oauth}/authorize"),
            token: format!("{oauth}/token"),
            introspect: None,
            revoke: None,
            userinfo: None,
            keys: keys.into(),
        };
        // Of none of them it is known that they follow RFC 9207.
        it.documents.iss_parameter = false;
        it.id_token.at_hash = false;
        it
    }
}

fn epic() -> Quirks {
    let root = "/interconnect-fhir-oauth";
    let oauth = format!("{root}/oauth2");
    let keys = format!("{root}/api/epic/2019/Security/Open/PublicKeys/530027/OIDC");
    let mut it = Quirks::below(format!("{root}/api/FHIR/R4"), &oauth, &oauth, keys);
    it.documents.grants = Some(&[
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ]);
    it.documents.scopes = Some(&["fhirUser", "launch", "openid", "profile"]);
    it.documents.capabilities = &[
        "launch-ehr",
        "launch-standalone",
        "client-public",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "context-banner",
        "context-style",
        "context-ehr-patient",
        "context-ehr-encounter",
        "context-standalone-patient",
        "permission-offline",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
        "authorize-post",
        "sso-openid-connect",
    ];
    it.authorization.pkce_required = false;
    it.authorization.post_standalone = false;
    it.scopes.grant = GrantRule::Registered {
        person: "patient/Binary.Read patient/Condition.read patient/Observation.read patient/Patient.read",
        system: "system/Observation.read system/Patient.read",
    };
    it.clients.backend = Some(BackendRules { keys_by_url: true, scope_required: false });
    it.answer.lifetime = Some(3600);
    it.answer.banner = Banner::Text;
    it.answer.extra = &[
        ("__epic.dstu2.patient", Extra::Patient),
        ("location", Extra::Text("eLoc3")),
        ("loginDepartment", Extra::Text("eDep3")),
        ("state", Extra::State),
    ];
    it.refresh.given = RefreshGiven::ScopeOfConfidential;
    it.refresh.rotation = Rotation::Kept;
    it
}

fn oracle_health() -> Quirks {
    let profile = format!("/tenants/{TENANT}/protocols/oauth2/profiles/smart-v1");
    let issuer = format!("/tenants/{TENANT}/oidc/idsps/{TENANT}/");
    let mut it = Quirks::below(format!("/r4/{TENANT}"), issuer, &profile, "/jwk");
    // Whom the app is for stands in the path of the authorization endpoint.
    it.paths.authorize = format!("{profile}/personas/provider/authorize");
    it.paths.revoke = Some(format!("{profile}/token/revoke"));
    it.documents.pkce_methods = Some(&[]);
    it.documents.grants = Some(&["authorization_code", "client_credentials"]);
    it.documents.auth_methods = Some(&["client_secret_basic", "private_key_jwt"]);
    it.documents.scopes = Some(&[
        "launch",
        "launch/patient",
        "openid",
        "fhirUser",
        "online_access",
        "offline_access",
        "patient/Patient.read",
    ]);
    it.documents.capabilities = &[
        "launch-ehr",
        "launch-standalone",
        "authorize-post",
        "client-public",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "context-banner",
        "context-style",
        "context-ehr-patient",
        "context-ehr-encounter",
        "permission-offline",
        "permission-online",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
        "health-cards",
    ];
    it.authorization.pkce_required = false;
    it.scopes.without_wildcards = true;
    it.scopes.refuses_nothing = true;
    it.answer.lifetime = Some(570);
    it.answer.extra = &[("user", Extra::User), ("username", Extra::Text("portal")), ("tenant", Extra::Text(TENANT))];
    it.answer.error_uri = Some("https://authorization.example/errors/urn%3Asandbox%3Aerror%3A");
    it.refresh.rotation = Rotation::Kept;
    it.refresh.revokes_access = false;
    it
}

fn smart_health_it() -> Quirks {
    // A code that asks for nothing in particular has nothing that could not be written.
    let code = LauncherSettings::new(LaunchType::ProviderStandalone).to_code().unwrap_or_default();
    let root = format!("/v/r4/sim/{code}");
    let fhir = format!("{root}/fhir");
    let mut it = Quirks::below(&fhir, &fhir, &format!("{root}/auth"), "/keys");
    it.paths.introspect = Some(format!("{root}/auth/introspect"));
    it.documents.introspection_by_bearer = true;
    it.documents.grants = Some(&["authorization_code", "client_credentials"]);
    it.documents.response_types = Some(&["code", "token", "id_token", "token id_token", "refresh_token"]);
    it.documents.scopes = Some(&[
        "openid",
        "profile",
        "fhirUser",
        "launch",
        "launch/patient",
        "launch/encounter",
        "patient/*.*",
        "user/*.*",
        "offline_access",
    ]);
    it.documents.capabilities = &[
        "launch-ehr",
        "launch-standalone",
        "client-public",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "context-passthrough-banner",
        "context-passthrough-style",
        "context-ehr-patient",
        "context-ehr-encounter",
        "context-standalone-patient",
        "context-standalone-encounter",
        "permission-offline",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
        "authorize-post",
    ];
    it.authorization.pkce_required = false;
    it.authorization.launch = LaunchRule::LauncherCode;
    it.clients.raw_basic = true;
    it.answer.extra = &[("smart_style_url", Extra::StyleUrl)];
    it.refresh.rotation = Rotation::Added;
    it.id_token.fhir_user = FhirUserForm::Relative;
    it.id_token.profile_claim = true;
    it.id_token.lifetime = 3600;
    it.id_token.on_refresh = IdTokenOnRefresh::WithoutAudience;
    it
}

fn google_healthcare() -> Quirks {
    let store = "/v1/projects/p/locations/l/datasets/d/fhirStores/s/fhir";
    let mut it = Quirks::below(store, "", "/o/oauth2/v2", "/oauth2/v3/certs");
    it.paths.authorize = String::from("/o/oauth2/v2/auth");
    it.paths.token = String::from("/token");
    it.paths.revoke = Some("/revoke".to_owned());
    it.documents.smart_configuration = false;
    it.documents.oauth_uris = false;
    it.authorization.aud = AudRule::Ignored;
    it.authorization.pkce_required = false;
    it.scopes.foreign = true;
    it.clients.backend = None;
    it.answer.lifetime = Some(3599);
    it.answer.banner = Banner::Absent;
    it.refresh.given = RefreshGiven::Parameter("access_type", "offline");
    it.refresh.rotation = Rotation::Kept;
    it.id_token.fhir_user = FhirUserForm::Absent;
    it.id_token.at_hash = true;
    it.id_token.lifetime = 3600;
    it.fhir = FhirAccess::AnyToken;
    it
}

fn athenahealth() -> Quirks {
    let mut it = Quirks::below("/fhir/r4", "/oauth2/aus0sandbox0issuer", "/oauth2/v1", "/oauth2/v1/keys");
    it.paths.introspect = Some("/oauth2/v1/introspect".to_owned());
    it.paths.revoke = Some("/oauth2/v1/revoke".to_owned());
    it.documents.grants = Some(&["authorization_code", "client_credentials"]);
    it.documents.auth_methods =
        Some(&["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]);
    it.documents.auth_methods_alias = true;
    it.documents.scopes = None;
    it.documents.response_types = Some(&["code", "token", "id_token", "code id_token"]);
    it.documents.capabilities = &[
        "launch-ehr",
        "launch-standalone",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "client-public",
        "sso-openid-connect",
        "context-ehr-patient",
        "context-ehr-encounter",
        "authorize-post",
        "context-standalone-patient",
        "permission-offline",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
        "context-banner",
        "context-style",
        "health-cards",
    ];
    it.authorization.aud = AudRule::Literal;
    it.answer.cors = false;
    it
}

fn medplum() -> Quirks {
    let mut it = Quirks::below("/fhir/R4", "/", "/oauth2", "/.well-known/jwks.json");
    it.paths.introspect = Some("/oauth2/introspect".to_owned());
    it.paths.userinfo = Some("/oauth2/userinfo".to_owned());
    it.documents.introspection = false;
    it.documents.grants = Some(&[
        "client_credentials",
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]);
    it.clients.raw_basic = true;
    it.clients.refusal = (400, "invalid_request");
    it.clients.backend = Some(BackendRules { keys_by_url: true, scope_required: false });
    it.answer.extra = &[
        ("project", Extra::Text("sandbox-project")),
        ("profile", Extra::UserReference),
        ("smart_style_url", Extra::StyleUrl),
    ];
    it.refresh.dead = "invalid_request";
    it.id_token.on_refresh = IdTokenOnRefresh::Whole;
    it
}

fn hapi() -> Quirks {
    let mut it = Quirks::below("/baseR4", "/no-issuer", "/no-oauth", "/no-oauth/keys");
    it.documents.smart_configuration = false;
    it.documents.oauth_uris = false;
    it.clients.backend = None;
    it.fhir = FhirAccess::Open;
    it
}

fn health_lake() -> Quirks {
    let store = "/datastore/0123456789abcdef0123456789abcdef/r4";
    let mut it = Quirks::below(store, "/operator", "/operator/oauth2", "/operator/.well-known/jwks.json");
    it.paths.fhir_slash = true;
    // As the operator wrote it: AWS's own example has these two slips.
    it.documents.grants = Some(&["authorization_code", "client_credential"]);
    it.documents.auth_methods = Some(&["client_secret_basic", "foo"]);
    it.documents.scopes = Some(&["openid", "profile", "launch"]);
    it.documents.capabilities = &["launch-ehr", "sso-openid-connect", "client-public"];
    it.answer.has_scope = false;
    it.answer.banner = Banner::Absent;
    it.refresh.rotation = Rotation::Kept;
    it.id_token.fhir_user = FhirUserForm::Absent;
    it.id_token.lifetime = 3600;
    it
}

fn azure() -> Quirks {
    let oauth = format!("/{TENANT}/oauth2/v2.0");
    let mut it = Quirks::below("", format!("/{TENANT}/v2.0"), &oauth, format!("/{TENANT}/discovery/v2.0/keys"));
    it.documents.issuer_and_keys = false;
    it.documents.pkce_methods = None;
    it.documents.grants = None;
    it.documents.auth_methods = None;
    it.documents.response_types = None;
    it.documents.scopes = None;
    it.documents.capabilities = &["sso-openid-connect", "permission-offline", "permission-patient", "permission-user"];
    it.authorization.aud = AudRule::Ignored;
    it.authorization.pkce_required = false;
    it.scopes.foreign = true;
    it.scopes.resource_prefix = true;
    it.clients.backend = None;
    it.answer.lifetime = Some(3599);
    it.answer.banner = Banner::Absent;
    it.answer.extra = &[("ext_expires_in", Extra::Number(3599))];
    it.refresh.rotation = Rotation::Added;
    it.id_token.fhir_user = FhirUserForm::Absent;
    it.id_token.lifetime = 3600;
    it.fhir = FhirAccess::AnyToken;
    it
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-116, F-117, F-118, F-119, F-120: every kind of the table of profiles has habits of its own here, under paths that
    /// can be routed.
    #[test]
    fn every_kind_has_its_habits() {
        let mut bases: Vec<String> = ServerKind::ALL.iter().map(|kind| Quirks::of(*kind).paths.fhir).collect();
        for kind in ServerKind::ALL {
            let paths = Quirks::of(*kind).paths;
            for path in [&paths.authorize, &paths.token, &paths.keys] {
                assert!(path.starts_with('/') && !path.ends_with('/') && !path.contains('{'), "{kind}: {path}");
            }
        }
        bases.sort_unstable();
        bases.dedup();
        assert_eq!(bases.len(), ServerKind::ALL.len());
    }
}
