//! What `js/vault.js` offers.

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen(module = "/js/vault.js")]
extern "C" {
    /// A record: `undefined`, or an object with `version` and `value`.
    #[wasm_bindgen(catch)]
    pub(crate) async fn get(database: &str, name: &str) -> Result<JsValue, JsValue>;

    /// Writes a record and gives the new version.
    #[wasm_bindgen(catch)]
    pub(crate) async fn put(
        database: &str,
        name: &str,
        value: js_sys::Uint8Array,
        belief: &str,
        version: f64,
    ) -> Result<JsValue, JsValue>;

    /// Removes a record and tells whether there was one.
    #[wasm_bindgen(catch)]
    pub(crate) async fn remove(database: &str, name: &str, belief: &str, version: f64) -> Result<JsValue, JsValue>;

    /// The values of all records, as an array.
    #[wasm_bindgen(catch)]
    pub(crate) async fn list(database: &str) -> Result<JsValue, JsValue>;

    /// Asks for a lease and tells whether it was given.
    #[wasm_bindgen(catch)]
    pub(crate) async fn lease(name: &str, holder: &str, milliseconds: f64) -> Result<JsValue, JsValue>;

    /// Gives a lease back.
    pub(crate) fn release(name: &str, holder: &str);
}
