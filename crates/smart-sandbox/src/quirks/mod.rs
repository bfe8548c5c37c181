//! The habits of a server, as far as a client meets them. One table sets them for each kind; the rest of the sandbox asks
//! for a habit, never for the name of a server.

mod table;

/// What a sandbox does in its own way. [`strict`](Quirks::strict) is what SMART says.
#[derive(Debug, Clone)]
pub(crate) struct Quirks {
    pub(crate) paths: Paths,
    pub(crate) documents: Documents,
    pub(crate) authorization: Authorization,
    pub(crate) scopes: ScopeRules,
    pub(crate) clients: ClientRules,
    pub(crate) answer: TokenAnswer,
    pub(crate) refresh: RefreshRules,
    pub(crate) id_token: IdTokenRules,
    pub(crate) fhir: FhirAccess,
}

/// Where things are, below the origin.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// The FHIR base, without a slash at its end; empty for the origin itself.
    pub(crate) fhir: String,
    /// Whether the FHIR base is published with a slash at its end.
    pub(crate) fhir_slash: bool,
    pub(crate) issuer: String,
    pub(crate) authorize: String,
    pub(crate) token: String,
    pub(crate) introspect: Option<String>,
    pub(crate) revoke: Option<String>,
    pub(crate) userinfo: Option<String>,
    pub(crate) keys: String,
}

/// What is published.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "habits that have nothing to do with each other")]
pub(crate) struct Documents {
    /// Whether there is a smart-configuration.
    pub(crate) smart_configuration: bool,
    /// Whether the CapabilityStatement names the endpoints.
    pub(crate) oauth_uris: bool,
    /// Whether the smart-configuration names issuer and keys.
    pub(crate) issuer_and_keys: bool,
    /// Whether it names introspection, where there is one.
    pub(crate) introspection: bool,
    /// Whether introspection takes a bearer token alone.
    pub(crate) introspection_by_bearer: bool,
    pub(crate) pkce_methods: Option<&'static [&'static str]>,
    pub(crate) grants: Option<&'static [&'static str]>,
    pub(crate) auth_methods: Option<&'static [&'static str]>,
    /// Whether the methods also stand under the name that the text of SMART 1 uses.
    pub(crate) auth_methods_alias: bool,
    pub(crate) response_types: Option<&'static [&'static str]>,
    pub(crate) scopes: Option<&'static [&'static str]>,
    pub(crate) capabilities: &'static [&'static str],
    /// Whether authorization answers name their issuer, and the document says so (RFC 9207).
    pub(crate) iss_parameter: bool,
}

/// What the authorization endpoint asks for.
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    pub(crate) aud: AudRule,
    pub(crate) pkce_required: bool,
    /// Whether a request by POST is taken outside of an EHR launch.
    pub(crate) post_standalone: bool,
    pub(crate) launch: LaunchRule,
}

/// How `aud` is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AudRule {
    /// It has to name this server; a slash at the end makes no difference.
    SameServer,
    /// Letter by letter.
    Literal,
    /// It is not looked at.
    Ignored,
}

/// What a launch value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaunchRule {
    /// One that the sandbox issued, good once.
    Issued,
    /// A settings code of the SMART Health IT launcher.
    LauncherCode,
}

/// What becomes of the scopes that are asked for.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "habits that have nothing to do with each other")]
pub(crate) struct ScopeRules {
    pub(crate) grant: GrantRule,
    /// Whether wildcard types are left out.
    pub(crate) without_wildcards: bool,
    /// Whether scopes that SMART does not know are granted.
    pub(crate) foreign: bool,
    /// Whether each scope but those of OpenID has to begin with the FHIR base.
    pub(crate) resource_prefix: bool,
    /// Whether a grant without any scope is refused.
    pub(crate) refuses_nothing: bool,
}

/// Whose scopes are granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantRule {
    /// Those that are asked for and that the client is registered for.
    Asked,
    /// Resource scopes follow the registration whatever is asked for. A client without a registration has these.
    Registered { person: &'static str, system: &'static str },
}

/// How clients show who they are.
#[derive(Debug, Clone)]
pub(crate) struct ClientRules {
    /// Whether id and secret are taken as they are from HTTP Basic, without decoding.
    pub(crate) raw_basic: bool,
    /// The status and error of a client that is not believed.
    pub(crate) refusal: (u16, &'static str),
    /// What is asked of backend services. `None`: there are none.
    pub(crate) backend: Option<BackendRules>,
}

/// What is asked of backend services.
#[derive(Debug, Clone)]
pub(crate) struct BackendRules {
    /// Whether they have to publish their keys at a URL.
    pub(crate) keys_by_url: bool,
    /// Whether they have to name their scopes.
    pub(crate) scope_required: bool,
}

/// The answer of the token endpoint.
#[derive(Debug, Clone)]
pub(crate) struct TokenAnswer {
    /// The seconds that every access token lives.
    pub(crate) lifetime: Option<u64>,
    pub(crate) has_scope: bool,
    pub(crate) banner: Banner,
    pub(crate) extra: &'static [(&'static str, Extra)],
    /// What the `error_uri` of a refusal begins with.
    pub(crate) error_uri: Option<&'static str>,
    /// Whether the token endpoint may be called from other origins.
    pub(crate) cors: bool,
}

/// How `need_patient_banner` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Banner {
    Boolean,
    Text,
    Absent,
}

/// A member that SMART does not define, or does not ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    Text(&'static str),
    Number(u64),
    /// The patient's id again.
    Patient,
    /// The id of the person who logged in.
    User,
    /// The person who logged in, as a FHIR reference in an object.
    UserReference,
    /// The `state` of the authorization request.
    State,
    /// `smart_style_url`, below the origin.
    StyleUrl,
}

/// When there is a refresh token, and what becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct RefreshRules {
    pub(crate) given: RefreshGiven,
    pub(crate) rotation: Rotation,
    /// The error for one that is of no use any more.
    pub(crate) dead: &'static str,
    /// Whether revocation reaches access tokens: one by itself, and those of a revoked refresh token.
    pub(crate) revokes_access: bool,
}

/// Who gets a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshGiven {
    /// Who was granted `offline_access` or `online_access`.
    Scope,
    /// The same, and only clients that can show who they are.
    ScopeOfConfidential,
    /// Who sent this parameter with the authorization request.
    Parameter(&'static str, &'static str),
}

/// What a refresh does to the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It is replaced; the old one is dead, and its use ends the grant.
    Replaced,
    /// It stays, and the answer has none.
    Kept,
    /// The answer has another one, and the old one stays good too.
    Added,
}

/// What stands in ID tokens.
#[derive(Debug, Clone)]
pub(crate) struct IdTokenRules {
    pub(crate) fhir_user: FhirUserForm,
    /// Whether the user also stands under `profile`, the claim of SMART 1.
    pub(crate) profile_claim: bool,
    pub(crate) at_hash: bool,
    pub(crate) lifetime: i64,
    pub(crate) on_refresh: IdTokenOnRefresh,
}

/// How `fhirUser` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FhirUserForm {
    Absolute,
    Relative,
    Absent,
}

/// Whether a refresh brings an ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdTokenOnRefresh {
    Never,
    Whole,
    /// One without `aud` and `nonce`.
    WithoutAudience,
}

/// What opens the FHIR API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FhirAccess {
    /// A token with fitting scopes.
    Scopes,
    /// Any live token: access is decided elsewhere.
    AnyToken,
    /// Everybody.
    Open,
}
