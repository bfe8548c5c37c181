//! The servers that have a profile.

macro_rules! server_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// A kind of server that has a profile, by the name that a configuration or command line gives it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        #[non_exhaustive]
        pub enum ServerKind {
            $($(#[$doc])* $variant,)+
        }

        impl ServerKind {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name, and that of its page in `docs/src/servers`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

server_kinds! {
    /// Any server that does what SMART says. The default.
    #[default]
    Generic = "generic",
    /// Epic.
    Epic = "epic",
    /// Oracle Health Millennium, formerly Cerner.
    OracleHealth = "oracle",
    /// The SMART Health IT launcher, `launch.smarthealthit.org`.
    SmartHealthIt = "smart-sandbox",
    /// Google Cloud Healthcare API.
    GoogleHealthcare = "google",
    /// athenahealth.
    Athenahealth = "athenahealth",
    /// Medplum.
    Medplum = "medplum",
    /// HAPI FHIR as its public test server and its starter project run it: without authorization.
    Hapi = "hapi",
    /// AWS HealthLake.
    HealthLake = "healthlake",
    /// Azure Health Data Services, and the Azure API for FHIR.
    Azure = "azure",
}

/// A name that no profile has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no server profile `{given}`; there are {}", names())]
pub struct UnknownServerKind {
    /// What was given, cut and cleaned.
    pub given: String,
}

fn names() -> String {
    ServerKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for ServerKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for ServerKind {
    type Err = UnknownServerKind;

    fn from_str(name: &str) -> Result<Self, UnknownServerKind> {
        let found = Self::ALL.iter().copied().find(|kind| kind.name() == name);
        found.ok_or_else(|| UnknownServerKind { given: crate::untrusted::shown(name, 40) })
    }
}
