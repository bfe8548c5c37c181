//! The look of the EHR: the document behind `smart_style_url` (SMART App Launch 2.2, SMART app styling; experimental).
//!
//! The URL is the version of the document: an EHR that changes the document gives another URL. So a cache keyed by the
//! URL never has to ask again. The document is fetched without a token.
//!
//! Its values come from outside. Put none into a style sheet as it is: the accessors of [`StyleDocument`] give what is a
//! colour, a length or a list of font names, written anew so that nothing else can ride along.
//!
//! ```
//! use smart_core::style::StyleDocument;
//!
//! let url = "https://ehr.example/styles/v7.json".parse()?;
//! let body = br##"{"color_background":"#EDEAE3","dim_font_size":"13px","color_text":"red;} body{display:none"}"##;
//! let style = StyleDocument::parse(&url, 200, body)?;
//! assert_eq!(style.color_background().unwrap().as_str(), "#edeae3");
//! assert_eq!(style.color_text(), None);
//! assert_eq!(style.css(), ":root{--smart-color-background:#edeae3;--smart-dim-font-size:13px}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod color_names;
mod css_color;
mod css_font_family;
mod css_length;
mod css_number;
mod document;
mod error;
mod property;

pub use css_color::CssColor;
pub use css_font_family::CssFontFamily;
pub use css_length::{CssLength, LengthUnit};
pub use document::{StyleDocument, style_request};
pub use error::{CssValueError, StyleError};
pub use property::{StyleKind, StyleProperty};
