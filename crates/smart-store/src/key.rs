//! Under what a record is kept.

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A session: tokens, context, expiry.
    Session,
    /// A login that waits for its callback.
    Pending,
    /// Which session a browser has.
    Browser,
    /// What an app itself keeps, such as how its client is registered with a server.
    App,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Session, Self::Pending, Self::Browser, Self::App];

    /// A short name, for file names and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Pending => "pending",
            Self::Browser => "browser",
            Self::App => "app",
        }
    }

    /// The kind of this [short name](Self::as_str).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The name of a record: it is bound to a server and a user, so that one client's tokens are never loaded for another
/// server.
///
/// `Display` and `Debug` leave the user out: the record's own id tells it apart in logs and errors, and who logs in may be the
/// patient. The other parts may be shown anywhere; keep names of patients out of them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    kind: Kind,
    issuer: String,
    user: String,
    id: String,
}

impl Key {
    /// A key.
    ///
    /// `issuer`: the normalised FHIR base URL, followed by the client where several clients share a store. `user`: who
    /// the record belongs to, empty where it is nobody's. `id`: what tells a user's records apart.
    pub fn new(kind: Kind, issuer: impl Into<String>, user: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind, issuer: issuer.into(), user: user.into(), id: id.into() }
    }

    /// What the record is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The server it belongs to.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The user it belongs to.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What tells the user's records apart.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} at {}", self.kind.as_str(), self.id, self.issuer)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({self})")
    }
}

/// Which records to list. Parts that are not given match all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The kind.
    pub kind: Option<Kind>,
    /// The server.
    pub issuer: Option<String>,
    /// The user.
    pub user: Option<String>,
}

impl Filter {
    /// Whether a key passes.
    pub fn matches(&self, key: &Key) -> bool {
        self.kind.is_none_or(|kind| kind == key.kind)
            && self.issuer.as_ref().is_none_or(|issuer| *issuer == key.issuer)
            && self.user.as_ref().is_none_or(|user| *user == key.user)
    }
}
