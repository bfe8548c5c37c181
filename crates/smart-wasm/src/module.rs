//! What the module itself offers.

use crate::error::PageError;
use crate::page_url::{PageKind, cleaned, kind_of};
use url::Url;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(text: &str);
}

/// Tells of a panic by its place alone: its text could quote a record.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        console_error(&format!("smart-on-fhir failed at {place}; please report it, and load the page anew"));
    }));
}

pub(crate) fn page_url(text: &str) -> Result<Url, PageError> {
    Url::parse(text).map_err(|error| PageError::new("launch", format!("the page's URL cannot be read: {error}")))
}

/// What brought the browser to a page: `launch`, `callback` or `plain`.
#[wasm_bindgen(js_name = pageKind)]
pub fn page_kind(url: &str) -> Result<String, PageError> {
    Ok(match kind_of(&page_url(url)?) {
        PageKind::Launch => "launch",
        PageKind::Callback => "callback",
        PageKind::Plain => "plain",
    }
    .to_owned())
}

/// The URL of a callback without what the server added, for the address bar.
#[wasm_bindgen(js_name = cleanedUrl)]
pub fn cleaned_url(url: &str) -> Result<String, PageError> {
    Ok(cleaned(&page_url(url)?).into())
}
