//! Entity tags: which version of a thing somebody has.

use http::HeaderValue;

/// An entity tag as a server gave it (RFC 9110, section 8.8.3): `W/"3"` or `"3"`. FHIR puts the version id of a resource
/// between the quotes (FHIR R4, http, managing resource contention).
///
/// It is sent back letter by letter, in `If-Match` or `If-None-Match`. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntityTag(HeaderValue);

/// The text is no entity tag: a quoted string of visible ASCII, perhaps after `W/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an entity tag such as W/\"3\" (RFC 9110, section 8.8.3)")]
pub struct EntityTagError;

impl EntityTag {
    /// Reads the value of an `ETag` header.
    ///
    /// # Errors
    /// [`EntityTagError`]. A tag of other octets than visible ASCII is refused too, though RFC 9110 lets it be.
    pub fn parse(text: &str) -> Result<Self, EntityTagError> {
        let text = text.trim();
        let quoted = text.strip_prefix("W/").unwrap_or(text);
        let opaque = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(EntityTagError)?;
        if !opaque.bytes().all(|c| c.is_ascii_graphic() && c != b'"') {
            return Err(EntityTagError);
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| EntityTagError)
    }

    /// The tag that FHIR has for a version id: weak, the id between the quotes.
    ///
    /// # Errors
    /// [`EntityTagError`] when the id has a quote, a blank or other characters that a tag cannot have.
    pub fn of_version(version_id: &str) -> Result<Self, EntityTagError> {
        Self::parse(&format!("W/\"{version_id}\""))
    }

    /// The tag as it came.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// What stands between the quotes; of a FHIR resource, its version id.
    pub fn opaque(&self) -> &str {
        let text = self.as_str();
        let quoted = text.strip_prefix("W/").unwrap_or(text);
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default()
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Whether two tags name the same version, weak or strong (RFC 9110, section 8.8.3.2, weak comparison).
    pub fn is_same_version(&self, other: &Self) -> bool {
        self.opaque() == other.opaque()
    }
}

impl std::fmt::Display for EntityTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for EntityTag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for EntityTag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AP-03, BR-01 (RFC 9110 8.8.3): a tag is sent back letter by letter; its version can be compared.
    #[test]
    fn tags_are_kept_letter_by_letter() {
        for (text, opaque) in [("W/\"a\"", "a"), ("\"3\"", "3"), ("W/\"\"", ""), ("\"W/x\"", "W/x")] {
            let tag = EntityTag::parse(text).unwrap();
            assert_eq!((tag.as_str(), tag.opaque()), (text, opaque));
            assert_eq!(serde_json::from_value::<EntityTag>(serde_json::to_value(&tag).unwrap()).unwrap(), tag);
        }
        assert_eq!(EntityTag::of_version("12").unwrap().as_str(), "W/\"12\"");
        assert!(EntityTag::parse("\"3\"").unwrap().is_same_version(&EntityTag::of_version("3").unwrap()));
        assert_ne!(EntityTag::parse("\"3\"").unwrap(), EntityTag::of_version("3").unwrap());
    }

    /// AP-03 (RFC 9110 8.8.3): what is no tag is refused, so that it cannot end a header.
    #[test]
    fn other_text_is_no_tag() {
        for text in ["", "3", "\"", "W/3", "w/\"3\"", "\"a\"b\"", "\"a b\"", "\"a\r\nX: y\"", "\"ä\"", "*"] {
            assert_eq!(EntityTag::parse(text), Err(EntityTagError), "{text}");
        }
        assert!(EntityTag::of_version("a\"b").is_err());
    }
}
