//! Proof Key for Code Exchange, method S256 (RFC 7636; SMART App Launch 2.2, considerations for PKCE support).
//!
//! There is no `plain` method and no way to ask for one.

use crate::random::{RandomError, SecureRandom, random_token};
use crate::secret::{Secret, SecretText};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

/// Why a verifier or challenge was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum PkceError {
    /// A verifier has 43 to 128 characters (RFC 7636, section 4.1).
    #[error("a code verifier has 43 to 128 characters; this one has {length}")]
    VerifierLength {
        /// How many octets it has.
        length: usize,
    },
    /// A verifier has letters, digits, `-`, `.`, `_` and `~` only (RFC 7636, section 4.1).
    #[error("a code verifier has only letters, digits, `-`, `.`, `_` and `~`; position {position} has something else")]
    VerifierCharacter {
        /// The offending octet's place, counted from 0.
        position: usize,
    },
    /// A challenge is 32 octets of SHA-256 as unpadded base64url: 43 characters.
    #[error("an S256 code challenge is 43 characters of unpadded base64url")]
    Challenge,
    /// Another method than S256 was asked for.
    #[error("code_challenge_method must be S256; `plain` and others are refused")]
    Method,
}

/// The secret that only the client that began an authorization knows (RFC 7636, section 4.1).
#[derive(Clone)]
pub struct CodeVerifier(SecretText);

impl CodeVerifier {
    /// Makes a fresh verifier: 32 random octets, 43 characters, 256 bits.
    ///
    /// # Errors
    /// [`RandomError`] when the source fails.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, RandomError> {
        random_token::<32>(random).map(|text| Self(SecretText::new(text)))
    }

    /// Reads a verifier that was made elsewhere.
    ///
    /// # Errors
    /// [`PkceError`] when its length or a character is not allowed.
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        if !(43..=128).contains(&text.len()) {
            return Err(PkceError::VerifierLength { length: text.len() });
        }
        let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
        match text.bytes().position(|c| !allowed(c)) {
            Some(position) => Err(PkceError::VerifierCharacter { position }),
            None => Ok(Self(SecretText::new(text.to_owned()))),
        }
    }

    /// The challenge that goes with it: base64url of SHA-256 of its ASCII text (RFC 7636, section 4.2).
    pub fn challenge(&self) -> CodeChallenge {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.0.as_str().as_bytes());
        CodeChallenge(URL_SAFE_NO_PAD.encode(digest.as_ref()))
    }

    /// The verifier itself, for the token request alone.
    pub fn expose_secret(&self) -> &str {
        self.0.as_str()
    }
}

impl Secret for CodeVerifier {
    fn from_exposed(value: String) -> Self {
        Self(SecretText::new(value))
    }

    fn expose_secret(&self) -> &str {
        self.0.as_str()
    }
}

impl std::fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeVerifier(***)")
    }
}

impl PartialEq for CodeVerifier {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0)
    }
}

impl Eq for CodeVerifier {}

/// The S256 challenge that the authorization request carries. No secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// The only method there is (RFC 7636, section 4.2).
    pub const METHOD: &'static str = "S256";

    /// Reads a challenge and its method, as a server gets them.
    ///
    /// # Errors
    /// [`PkceError::Method`] for another method than S256 (an absent one means `plain`), [`PkceError::Challenge`] for
    /// a malformed challenge.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, PkceError> {
        if method != Some(Self::METHOD) {
            return Err(PkceError::Method);
        }
        match URL_SAFE_NO_PAD.decode(challenge) {
            Ok(digest) if digest.len() == 32 => Ok(Self(challenge.to_owned())),
            _ => Err(PkceError::Challenge),
        }
    }

    /// The challenge's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` is the one that this challenge was made from. For servers; constant time.
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        self.0.as_bytes().ct_eq(verifier.challenge().0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::Counting;

    /// PK-05 (RFC 7636 4.2, appendix B): the RFC's example pair.
    #[test]
    fn rfc7636_appendix_b_vector() {
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        assert_eq!(verifier.challenge().as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(verifier.challenge().is_met_by(&verifier));
    }

    /// PK-03 (RFC 7636 4.1): 43 to 128 unreserved characters.
    #[test]
    fn verifier_length_and_alphabet_are_checked() {
        for (text, ok) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            (format!("{}+", "a".repeat(50)), false),
            (format!("{}é", "a".repeat(50)), false),
            (String::new(), false),
        ] {
            assert_eq!(CodeVerifier::parse(&text).is_ok(), ok, "{text}");
        }
    }

    /// PK-04, SE-07 (RFC 7636 4.1, 7.1): 32 random octets make a 43-character verifier.
    #[test]
    fn generated_verifier_has_256_bits() {
        let verifier = CodeVerifier::generate(&Counting::default()).unwrap();
        assert_eq!(verifier.expose_secret().len(), 43);
        assert_eq!(URL_SAFE_NO_PAD.decode(verifier.expose_secret()).unwrap().len(), 32);
        assert!(CodeVerifier::parse(verifier.expose_secret()).is_ok());
    }

    /// PK-02, F-16 (SMART, PKCE; RFC 7636 4.2): only S256, an absent method means plain and is refused too.
    #[test]
    fn pkce_plain_is_refused() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        for method in [None, Some("plain"), Some("s256"), Some("")] {
            assert_eq!(CodeChallenge::parse(challenge, method), Err(PkceError::Method), "{method:?}");
        }
        assert!(CodeChallenge::parse(challenge, Some("S256")).is_ok());
        assert_eq!(CodeChallenge::parse("short", Some("S256")), Err(PkceError::Challenge));
    }

    /// PK-05: another verifier does not meet the challenge.
    #[test]
    fn another_verifier_does_not_meet_the_challenge() {
        let random = Counting::default();
        let (a, b) = (CodeVerifier::generate(&random).unwrap(), CodeVerifier::generate(&random).unwrap());
        assert!(!a.challenge().is_met_by(&b));
    }

    /// PK-07, SE-05: a verifier does not show in Debug.
    #[test]
    fn verifier_is_sealed_in_debug() {
        let verifier = CodeVerifier::generate(&Counting::default()).unwrap();
        assert!(!format!("{verifier:?}").contains(verifier.expose_secret()));
    }
}
