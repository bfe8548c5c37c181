//! UniFFI's own command, in the version of the library: they have to be the same.

#![forbid(unsafe_code)]

fn main() {
    uniffi::uniffi_bindgen_main();
}
