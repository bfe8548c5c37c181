//! SMART scopes.
