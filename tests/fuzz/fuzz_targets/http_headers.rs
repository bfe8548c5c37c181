#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| smart_fuzz::http_headers::hold(body));
