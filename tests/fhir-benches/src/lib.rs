//! What the benches of the FHIR client share: a server that costs next to nothing, and the clients that are compared.

pub mod clients;
pub mod instructions;
pub mod peers;
pub mod server;
