//! Where in a database the store lies.

/// The name of a schema: safe between double quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schema(String);

impl Schema {
    pub(super) fn new(name: &str) -> Option<Self> {
        let plain = (1..=48).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && !name.starts_with("pg_")
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        plain.then(|| Self(name.to_owned()))
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// The number of the lock of the schema's keys and tables. Databases count such locks apart.
    pub(super) fn lock_number(&self) -> i64 {
        let name = format!("smart-store keys of {}", self.0);
        let hash = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
        hash.as_ref().first_chunk().map_or(0, |octets| i64::from_be_bytes(*octets))
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self("smart_store".to_owned())
    }
}
