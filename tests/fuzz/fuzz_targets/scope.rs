#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| smart_fuzz::scope::hold(text));
