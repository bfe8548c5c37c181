//! Logos.

use url::Url;

/// A logo (FHIR extensions, organization-brand, `brandLogo`). Show it as an image and not otherwise: an embedded one may be
/// SVG, which could run scripts in a page of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logo {
    /// At an https URL. Fetching it tells its server that somebody looks.
    Remote(Url),
    /// Embedded, as a `data:` URL of an image, as it came.
    Embedded(String),
}

impl Logo {
    /// Reads an https URL, or a `data:` URL of an image.
    pub fn parse(text: &str) -> Option<Self> {
        let scheme = text.get(..5).unwrap_or_default();
        if scheme.eq_ignore_ascii_case("data:") {
            let media_type = text.get(5..).unwrap_or_default().split([';', ',']).next().unwrap_or_default();
            let is_image = media_type.to_ascii_lowercase().starts_with("image/") && text.contains(',');
            return (is_image && !text.chars().any(char::is_control)).then(|| Self::Embedded(text.to_owned()));
        }
        crate::url_policy::UrlPolicy::HttpsOnly.parse(text).ok().map(Self::Remote)
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Remote(url) => url.as_str(),
            Self::Embedded(text) => text,
        }
    }
}
