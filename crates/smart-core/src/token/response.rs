//! A successful answer of the token endpoint.

use super::authorization_details::AuthorizationDetails;
use super::error::{TokenError, endpoint_shown, success_object};
use crate::context::LaunchContext;
use crate::fhir_base::FhirBaseUrl;
use crate::leniency::Leniency;
use crate::scope::{Level, Scope, Scopes};
use crate::secret::{AccessToken, RawIdToken, RefreshToken};
use crate::time::Timestamp;
use crate::url_policy::UrlPolicy;
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

/// A lifetime longer than this is taken for this: no clock arithmetic is worth more than a century.
const MAX_LIFETIME: f64 = 3_155_760_000.0;

/// What the token endpoint gave (SMART App Launch 2.2, token response; RFC 6749, section 5.1).
///
/// The ID token is raw: validate it before believing a word of it. `Debug` shows no token and no patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenResponse {
    /// The access token: opaque, of type Bearer.
    pub access_token: AccessToken,
    /// How long the access token lives from `received_at`, where the server says so. `None` is not "for ever": it is
    /// unknown, and a 401 will tell.
    pub expires_in: Option<Duration>,
    /// When the answer came.
    pub received_at: Timestamp,
    /// The granted scopes: less, more, or others than were asked for; possibly none.
    pub scope: Scopes,
    /// The refresh token, where one is held. After a refresh this is the new one, or the old one if none came.
    pub refresh_token: Option<RefreshToken>,
    /// The ID token, not validated.
    pub id_token: Option<RawIdToken>,
    /// Other servers that the token is good for. Experimental in SMART.
    pub authorization_details: Vec<AuthorizationDetails>,
    /// The launch context. After a refresh, what was not repeated is kept.
    pub context: LaunchContext,
    /// Where the answer departed from the specification and was read all the same.
    pub leniencies: Vec<Leniency>,
}

/// What the reader of an answer has to know.
pub(super) struct Expectation<'a> {
    pub(super) endpoint: &'a Url,
    /// The FHIR server that the launch context is of; a backend service has none.
    pub(super) base: Option<&'a FhirBaseUrl>,
    /// What an answer without `scope` grants: what was asked for, or what was granted before.
    pub(super) scope_if_absent: &'a Scopes,
    pub(super) policy: UrlPolicy,
    pub(super) ornaments: Ornaments,
}

/// What to do about members that a token is usable without (`expires_in`, `scope`, `id_token`) and that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ornaments {
    /// The answer is an error: nothing is lost but the login, which the person can begin anew.
    MustBeReadable,
    /// They are taken as absent: an error would lose a refresh token that was just rotated.
    MayBeUnreadable,
}

impl TokenResponse {
    /// What the answer says of another FHIR server than the one that was asked for, where it names it (SMART 2.2,
    /// authorization details, experimental).
    pub fn details_for(&self, base: &FhirBaseUrl) -> Option<&AuthorizationDetails> {
        self.authorization_details.iter().find(|details| details.is_for(base))
    }

    /// When the access token ends, where the server said so.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_in.map(|lifetime| self.received_at.saturating_add(lifetime))
    }

    pub(super) fn parse(
        expected: &Expectation<'_>,
        status: u16,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        let object = success_object(expected.endpoint, status, body)?;
        Reader { endpoint: expected.endpoint, object, notes: Vec::new() }.read(expected, now)
    }

    /// Fails when a `patient/` scope was granted and no patient is known (requirement TK-16): whose record the token
    /// opens could not be told.
    pub(super) fn require_patient(self, endpoint: &Url) -> Result<Self, TokenError> {
        let for_a_patient = |scope: &Scope| matches!(scope, Scope::Resource(r) if r.level() == Level::Patient);
        if self.context.patient.is_none() && self.scope.iter().any(for_a_patient) {
            return Err(TokenError::PatientMissing { endpoint: endpoint_shown(endpoint) });
        }
        Ok(self)
    }
}

struct Reader<'a> {
    endpoint: &'a Url,
    object: Map<String, Value>,
    notes: Vec<Leniency>,
}

impl Reader<'_> {
    fn read(mut self, expected: &Expectation<'_>, now: Timestamp) -> Result<TokenResponse, TokenError> {
        let access_token = self.required_text("access_token")?;
        if !access_token.bytes().all(|c| (0x21..=0x7e).contains(&c)) {
            return Err(self.invalid("access_token", "printable ASCII without blanks (RFC 6750, section 2.1)"));
        }
        let token_type = self.required_text("token_type")?;
        if !token_type.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::TokenType {
                endpoint: endpoint_shown(self.endpoint),
                token_type: crate::untrusted::shown(&token_type, 40),
            });
        }
        let expires_in = self.expires_in();
        let expires_in = self.ornament(expected, expires_in)?;
        let scope = self.scope(expected.scope_if_absent);
        let scope = self.ornament(expected, scope.map(Some))?.unwrap_or_else(|| expected.scope_if_absent.clone());
        let refresh_token = self.optional_text("refresh_token");
        let refresh_token = self.ornament(expected, refresh_token)?.map(RefreshToken::new);
        let id_token = self.optional_text("id_token");
        let id_token = self.ornament(expected, id_token)?.map(RawIdToken::new);
        if id_token.is_none() && scope.contains(&Scope::OpenId) {
            self.notes.push(Leniency::IdTokenMissing);
        }
        let details = self.object.remove("authorization_details").filter(|v| !v.is_null());
        let authorization_details =
            details.map(|v| AuthorizationDetails::read_all(&v, expected.policy, &mut self.notes)).unwrap_or_default();
        let context = LaunchContext::take_from(self.object, expected.base, expected.policy, &mut self.notes);
        Ok(TokenResponse {
            access_token: AccessToken::new(access_token),
            expires_in,
            received_at: now,
            scope,
            refresh_token,
            id_token,
            authorization_details,
            context,
            leniencies: self.notes,
        })
    }

    /// A member that may be absent, or as good as absent where that is allowed.
    fn ornament<T>(
        &mut self,
        expected: &Expectation<'_>,
        read: Result<Option<T>, TokenError>,
    ) -> Result<Option<T>, TokenError> {
        if read.is_err() && expected.ornaments == Ornaments::MayBeUnreadable {
            self.notes.push(Leniency::RefreshMemberUnreadable);
            return Ok(None);
        }
        read
    }

    fn scope(&mut self, if_absent: &Scopes) -> Result<Scopes, TokenError> {
        // An empty string is a grant of nothing, which is another thing than silence.
        let text = match self.object.remove("scope") {
            None | Some(Value::Null) => {
                self.notes.push(Leniency::ScopeMissing);
                return Ok(if_absent.clone());
            }
            Some(Value::String(text)) => text,
            Some(_) => return Err(self.invalid("scope", "a string")),
        };
        let granted = Scopes::parse_granted(&text);
        if granted.iter().any(|scope| matches!(scope, Scope::Other(other) if other.problem().is_some())) {
            self.notes.push(Leniency::ScopeMalformed);
        }
        Ok(granted)
    }

    fn expires_in(&mut self) -> Result<Option<Duration>, TokenError> {
        let seconds = match self.object.remove("expires_in") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => {
                let seconds = text.trim().parse::<f64>().ok().filter(|s| s.is_finite());
                self.notes.extend(seconds.map(|_| Leniency::ExpiresInString));
                seconds
            }
            Some(_) => None,
        };
        let Some(seconds) = seconds else { return Err(self.invalid("expires_in", "a number of seconds")) };
        if seconds.fract() != 0.0 {
            self.notes.push(Leniency::ExpiresInFraction);
        }
        if seconds < 0.0 {
            self.notes.push(Leniency::ExpiresInNegative);
        }
        Ok(Some(Duration::from_secs_f64(seconds.clamp(0.0, MAX_LIFETIME).floor())))
    }

    fn required_text(&mut self, member: &'static str) -> Result<String, TokenError> {
        self.optional_text(member)?
            .ok_or_else(|| TokenError::Missing { endpoint: endpoint_shown(self.endpoint), member })
    }

    fn optional_text(&mut self, member: &'static str) -> Result<Option<String>, TokenError> {
        match self.object.remove(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|t| !t.is_empty())),
            Some(_) => Err(self.invalid(member, "a string")),
        }
    }

    fn invalid(&self, member: &'static str, expected: &'static str) -> TokenError {
        TokenError::Invalid { endpoint: endpoint_shown(self.endpoint), member, expected }
    }
}
