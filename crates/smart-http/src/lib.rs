//! The HTTP seam of smart-on-fhir: one small transport trait and its hyper and rustls implementation, with limits and retries
