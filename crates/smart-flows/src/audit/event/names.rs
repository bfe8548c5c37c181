//! Names for what must not be shown itself: tokens, sessions and users.

use crate::audit::key::{AuditKey, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, Serializer};
use smart_core::secret::{AccessToken, RawIdToken, RefreshToken};
use smart_core::untrusted::shown;
use smart_store::Key;

/// How many octets of a hash a name has: enough that no two meet.
const LENGTH: usize = 16;

/// The longest client id, issuer or user that is kept, in characters.
pub(super) const LONGEST: usize = 256;

fn short(hash: &[u8; 32]) -> [u8; LENGTH] {
    let mut name = [0; LENGTH];
    name.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    name
}

super::place::names! {
    /// What a token is for.
    TokenKind {
        /// An access token.
        Access = "access",
        /// A refresh token.
        Refresh = "refresh",
        /// An ID token.
        Id = "id",
    }
}

/// Which token it is, without the token: the first 128 bits of its SHA-256, as a URI of RFC 6920
/// (`ni:///sha-256-128;..`).
///
/// Events about one token have the same id, and who has the token can find its events. The other way is closed as long
/// as the server's tokens cannot be guessed, which RFC 6749 (section 10.10) asks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenId {
    kind: TokenKind,
    hash: [u8; LENGTH],
}

impl TokenId {
    /// Of an access token.
    pub fn access(token: &AccessToken) -> Self {
        Self::of(TokenKind::Access, token.expose_secret())
    }

    /// Of a refresh token.
    pub fn refresh(token: &RefreshToken) -> Self {
        Self::of(TokenKind::Refresh, token.expose_secret())
    }

    /// Of an ID token.
    pub fn id(token: &RawIdToken) -> Self {
        Self::of(TokenKind::Id, token.expose_secret())
    }

    fn of(kind: TokenKind, token: &str) -> Self {
        Self { kind, hash: short(&digest(&[token.as_bytes()])) }
    }

    /// What the token is for.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }
}

impl std::fmt::Display for TokenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ni:///sha-256-128;{}", URL_SAFE_NO_PAD.encode(self.hash))
    }
}

impl Serialize for TokenId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut token = serializer.serialize_struct("TokenId", 2)?;
        token.serialize_field("kind", &self.kind)?;
        token.serialize_field("id", &self.to_string())?;
        token.end()
    }
}

/// Which session it is: a hash of its key in the store. It opens nothing, also where an app uses the key as a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHandle([u8; LENGTH]);

impl SessionHandle {
    /// The handle of the session, or of the pending login, under a key.
    pub fn of(key: &Key) -> Self {
        let parts = [key.kind().as_str(), key.issuer(), key.user(), key.id()].map(str::as_bytes);
        Self(short(&digest(&[&framed("session", &parts)])))
    }
}

impl std::fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl Serialize for SessionHandle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How users are named in the audit. Made by [`Auditor::builder`](crate::audit::Auditor::builder).
#[derive(Debug, Clone, Default)]
pub(crate) enum UserNaming {
    /// By a hash of issuer and subject.
    #[default]
    Hashed,
    /// By a keyed hash of them.
    Keyed(AuditKey),
    /// By the subject itself.
    Plain,
}

impl UserNaming {
    pub(crate) fn name(&self, issuer: &str, subject: &str) -> AuditUser {
        let parts = [issuer.as_bytes(), subject.as_bytes()];
        let hashed = |hash: [u8; 32]| URL_SAFE_NO_PAD.encode(short(&hash));
        let name = match self {
            Self::Hashed => hashed(digest(&[&framed("user", &parts)])),
            Self::Keyed(key) => hashed(key.sign(&[&framed("user", &parts)])),
            Self::Plain => shown(subject, LONGEST),
        };
        AuditUser { issuer: shown(issuer, LONGEST), name }
    }
}

/// Who it was: the issuer that knows the person, and a name for the subject there.
///
/// The name is a hash of issuer and subject unless the app has asked for the subject itself: in an app for patients the
/// subject may be a patient's name. [`Auditor::user`](crate::audit::Auditor::user) gives the one to search for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct AuditUser {
    issuer: String,
    name: String,
}

impl AuditUser {
    /// The issuer of the ID token.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The name for the subject.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The parts, each with its length before it, so that no two lists of parts give the same octets.
fn framed(what: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut octets = format!("smart audit {what}").into_bytes();
    for part in parts {
        octets.extend_from_slice(format!(" {}:", part.len()).as_bytes());
        octets.extend_from_slice(part);
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;
    use smart_store::Kind;

    /// SE-05 (SMART, App protection): a token's id is a hash in the form of RFC 6920, the same for the same token.
    #[test]
    fn a_token_is_named_by_its_hash() {
        let id = TokenId::access(&AccessToken::new("Hello World!"));
        // RFC 6920, section 8.1, has the whole hash of these words.
        assert_eq!(id.to_string(), "ni:///sha-256-128;f4OxZX_x_FO5LcGBSKHWXQ");
        assert_eq!(id, TokenId::access(&AccessToken::new("Hello World!")));
        assert_ne!(id, TokenId::access(&AccessToken::new("Hello World")));
        assert_ne!(id, TokenId::refresh(&RefreshToken::new("Hello World!")));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, r#"{"kind":"access","id":"ni:///sha-256-128;f4OxZX_x_FO5LcGBSKHWXQ"}"#);
    }

    /// A session's handle shows no part of its key, and differs with each part.
    #[test]
    fn a_session_is_named_by_a_hash_of_its_key() {
        let key = |issuer: &str, user: &str, id: &str| SessionHandle::of(&Key::new(Kind::Session, issuer, user, id));
        let handle = key("https://ehr.example", "ada", "cookie-1");
        assert!(!handle.to_string().contains("cookie") && handle.to_string().len() == 22);
        for other in [
            key("https://ehr.example", "ada", "cookie-2"),
            key("https://ehr.example", "adacookie-1", ""),
            key("https://ehr.examplea", "da", "cookie-1"),
            SessionHandle::of(&Key::new(Kind::Pending, "https://ehr.example", "ada", "cookie-1")),
        ] {
            assert_ne!(handle, other);
        }
    }

    /// SE-05: a user is named by a hash unless the app wants the subject; with a key nobody else can make it.
    #[test]
    fn a_user_is_named_by_a_hash_unless_told_otherwise() {
        let key = |octet: u8| AuditKey::from_octets(&[octet; 32]).unwrap();
        let name = |naming: UserNaming| naming.name("https://login.example", "ada.lovelace").name().to_owned();
        let (hashed, keyed) = (name(UserNaming::Hashed), name(UserNaming::Keyed(key(1))));
        assert!(!hashed.contains("ada") && !keyed.contains("ada") && hashed != keyed);
        assert_ne!(keyed, name(UserNaming::Keyed(key(2))));
        assert_eq!(name(UserNaming::Plain), "ada.lovelace");
        assert_ne!(UserNaming::Hashed.name("https://other.example", "ada.lovelace").name(), hashed);
    }
}
