//! A style document.

use super::css_color::CssColor;
use super::css_font_family::CssFontFamily;
use super::css_length::CssLength;
use super::error::StyleError;
use super::property::{StyleKind, StyleProperty};
use crate::discovery::Object;
use crate::json::parse_object;
use crate::leniency::Leniency;
use crate::message::{JSON, request};
use crate::token::{MessageError, endpoint_shown};
use bytes::Bytes;
use http::{Method, Request};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::Url;

/// What an EHR looks like. Clients read it by [`parse`](Self::parse); servers fill it by [`with`](Self::with) and
/// serialise it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StyleDocument {
    values: BTreeMap<StyleProperty, String>,
    /// Members that SMART does not define, and those that are no strings, as they came.
    pub other: Map<String, Value>,
    /// Where the document departed from the specification and was read all the same.
    pub leniencies: Vec<Leniency>,
}

/// GET the document behind `smart_style_url`, without a token (requirement CX-05).
///
/// # Errors
/// [`MessageError::Endpoint`].
pub fn style_request(url: &Url) -> Result<Request<Bytes>, MessageError> {
    request(Method::GET, url, JSON)
}

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident -> $kind:ident of $property:ident;)+) => {
        impl StyleDocument {$(
            $(#[$doc])*
            pub fn $name(&self) -> Option<$kind> {
                $kind::parse(self.raw(StyleProperty::$property)?).ok()
            }
        )+}
    };
}

accessors! {
    /// The background of the app.
    color_background -> CssColor of ColorBackground;
    /// Concern and danger.
    color_error -> CssColor of ColorError;
    /// Focus.
    color_highlight -> CssColor of ColorHighlight;
    /// The backdrop behind a modal dialog.
    color_modal_backdrop -> CssColor of ColorModalBackdrop;
    /// Success.
    color_success -> CssColor of ColorSuccess;
    /// Text.
    color_text -> CssColor of ColorText;
    /// The radius of corners.
    dim_border_radius -> CssLength of DimBorderRadius;
    /// The size of text.
    dim_font_size -> CssLength of DimFontSize;
    /// The space between elements.
    dim_spacing_size -> CssLength of DimSpacingSize;
    /// The fonts of text.
    font_family_body -> CssFontFamily of FontFamilyBody;
    /// The fonts of headings.
    font_family_heading -> CssFontFamily of FontFamilyHeading;
}

impl StyleDocument {
    /// Reads the answer to [`style_request`]. The caller has limited the body's size; the content type decides nothing.
    ///
    /// # Errors
    /// [`StyleError`].
    pub fn parse(url: &Url, status: u16, body: &[u8]) -> Result<Self, StyleError> {
        if !(200..300).contains(&status) {
            return Err(StyleError::Status { url: endpoint_shown(url), status });
        }
        let mut object = parse_object(body).map_err(|reason| StyleError::Json { url: endpoint_shown(url), reason })?;
        let mut document = Self::default();
        for property in StyleProperty::ALL {
            match object.get(property.member()) {
                None => continue,
                Some(Value::Null) => {}
                Some(Value::String(text)) => document.set(*property, text),
                Some(_) => {
                    document.leniencies.push(Leniency::StyleMemberUnreadable);
                    continue;
                }
            }
            object.shift_remove(property.member());
        }
        document.other = object;
        Ok(document)
    }

    /// The same document with one more property. A blank value is none: an example of the specification has one.
    pub fn with(mut self, property: StyleProperty, value: &str) -> Self {
        self.set(property, value);
        self
    }

    fn set(&mut self, property: StyleProperty, value: &str) {
        if !value.trim().is_empty() {
            self.values.insert(property, value.to_owned());
        }
    }

    /// The value as it came, unchecked: not for a style sheet.
    pub fn raw(&self, property: StyleProperty) -> Option<&str> {
        self.values.get(&property).map(String::as_str)
    }

    /// The properties that have a value which is not what it has to be, so that nothing is made of it.
    pub fn unusable(&self) -> impl Iterator<Item = StyleProperty> {
        self.values.keys().copied().filter(|property| self.checked(*property).is_none())
    }

    /// The checked values as CSS custom properties, in the order of [`StyleProperty::ALL`].
    pub fn custom_properties(&self) -> Vec<(&'static str, String)> {
        let named = |property: &StyleProperty| Some((property.custom_property(), self.checked(*property)?));
        StyleProperty::ALL.iter().filter_map(named).collect()
    }

    /// A rule for `:root` with the checked values as CSS custom properties: `:root{--smart-color-text:#303030}`. It holds
    /// no `<`, so that it may also stand in a `style` element. Use them as `var(--smart-color-text, black)`.
    pub fn css(&self) -> String {
        let declarations: Vec<String> =
            self.custom_properties().iter().map(|(name, value)| format!("{name}:{value}")).collect();
        format!(":root{{{}}}", declarations.join(";"))
    }

    fn checked(&self, property: StyleProperty) -> Option<String> {
        let raw = self.raw(property)?;
        match property.kind() {
            StyleKind::Color => CssColor::parse(raw).ok().map(|color| color.to_string()),
            StyleKind::FontFamily => CssFontFamily::parse(raw).ok().map(|fonts| fonts.to_string()),
            StyleKind::Length => {
                let length = CssLength::parse(raw).ok()?;
                // Text of no size would hide what people must see.
                let hides = property == StyleProperty::DimFontSize && length.value() == 0.0;
                (!hides).then(|| length.to_string())
            }
        }
    }
}

impl Serialize for StyleDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::default();
        for (property, value) in &self.values {
            object.put(property.member(), Some(value));
        }
        object.with_other(&self.other).serialize(serializer)
    }
}
