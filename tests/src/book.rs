//! The book's pages: their Rust examples are compiled, and run where they can be, by the doc tests of this crate.

/// Makes an item of each page, whose documentation it is.
macro_rules! pages {
    ($($name:ident: $path:literal,)*) => {
        $(
            #[doc = include_str!(concat!("../../docs/src/", $path))]
            pub struct $name;
        )*
    };
}

pages! {
    Audit: "audit.md",
    Backend: "backend.md",
    Bulk: "bulk.md",
    EhrLaunch: "ehr-launch.md",
    Errors: "errors.md",
    FromFhirR4Auth: "migration/fhir_r4_auth.md",
    FromFhirClient: "migration/fhirclient.md",
    FromOpenIdConnect: "migration/openidconnect.md",
    Platforms: "platforms.md",
    Quickstart: "quickstart.md",
    Security: "security.md",
    Sessions: "sessions.md",
    Settings: "settings.md",
    Standalone: "standalone.md",
    Storage: "storage.md",
    Tokens: "tokens.md",
}
