//! What is done about a request that the granted scopes do not permit.

/// What a session does about a request to the FHIR server that its granted scopes do not permit, before it is sent.
///
/// The server has the last word in any case: it may refuse what scopes permit. An operation, `metadata` and what else no
/// scope speaks of is left to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PermissionPolicy {
    /// Nothing: the server decides.
    Off,
    /// A line in the log, with the scope that would permit it. The request is sent. The default.
    #[default]
    Warn,
    /// It is refused, with the scope that would permit it, and not sent.
    Enforce,
}
