//! What the fuzz targets check. A plain test runs the same on the seeds.

pub mod brands;
pub mod bulk_manifest;
pub mod bundle;
pub mod callback;
pub mod discovery;
pub mod http_headers;
pub mod jwks;
pub mod jwt;
mod login;
pub mod ndjson;
pub mod operation_outcome;
pub mod registration;
pub mod scope;
pub mod signing_key;
pub mod token_response;
