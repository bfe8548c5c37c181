#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| smart_fuzz::bundle::hold(body));
