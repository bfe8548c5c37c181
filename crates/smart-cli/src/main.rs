//! The smart command: try, debug and script SMART on FHIR servers from a terminal
fn main() {}
