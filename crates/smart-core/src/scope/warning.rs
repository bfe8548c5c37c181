//! What is legal in a set of scopes and still doubtful.

use super::resource::ResourceScope;
use super::scopes::Scopes;
use super::token::{OpaqueScope, Scope};

/// Something doubtful in what an app asks for. The request may be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeWarning {
    /// `online_access` belongs to EHR launches since SMART 2.2.
    #[error(
        "`online_access` is for EHR launches only since SMART 2.2: servers may ignore it; ask for `offline_access`"
    )]
    OnlineAccessOutsideEhrLaunch,
    /// Both kinds of refresh token are asked for.
    #[error("both `offline_access` and `online_access` are asked for: a grant has one kind of refresh token")]
    BothRefreshScopes,
    /// The bare `launch` was left out, since there is no EHR launch.
    #[error("`launch` belongs to EHR launches and was left out; ask for `launch/patient` or `launch/encounter`")]
    BareLaunchLeftOut,
    /// `profile` alone asks for the user as SMART 1 did.
    #[error("`profile` asks for the user as SMART 1 did: ask for `openid fhirUser` where the server can")]
    ProfileWithoutFhirUser,
    /// A scope makes no sense for a backend service.
    #[error("`{0}` needs a user or a launch, and a backend service has neither: servers will likely refuse it")]
    NotForBackend(Scope),
    /// A scope for all resource types.
    #[error("`{0}` is for all resource types, those of the future included: name the types that the app needs")]
    Wildcard(ResourceScope),
    /// A query that uses experimental features.
    #[error("`{0}` uses a modifier, a chain or `_filter`: experimental, and few servers know it")]
    ExperimentalQuery(ResourceScope),
    /// Neither a scope of SMART nor of the form for extensions.
    #[error("`{0}` is no scope of SMART, and extensions are URIs or begin with `__`: is it spelled right?")]
    Unknown(OpaqueScope),
}

impl Scopes {
    /// What is doubtful in these scopes for any launch: [wildcards](ScopeWarning::Wildcard),
    /// [experimental queries](ScopeWarning::ExperimentalQuery), [unknown scopes](ScopeWarning::Unknown) and doubtful
    /// combinations.
    pub fn lint(&self) -> Vec<ScopeWarning> {
        let wildcards = self.resources().filter(|scope| scope.is_wildcard()).cloned().map(ScopeWarning::Wildcard);
        wildcards.chain(self.doubts()).collect()
    }

    /// As [`lint`](Self::lint), without the wildcards.
    pub(super) fn doubts(&self) -> Vec<ScopeWarning> {
        let mut doubts = Vec::new();
        for scope in self {
            match scope {
                Scope::Resource(scope) if scope.is_experimental() => {
                    doubts.push(ScopeWarning::ExperimentalQuery(scope.clone()));
                }
                Scope::Other(scope) if !scope.is_extension() => doubts.push(ScopeWarning::Unknown(scope.clone())),
                _ => {}
            }
        }
        if self.contains(&Scope::OfflineAccess) && self.contains(&Scope::OnlineAccess) {
            doubts.push(ScopeWarning::BothRefreshScopes);
        }
        if self.contains(&Scope::Profile) && !self.contains(&Scope::FhirUser) {
            doubts.push(ScopeWarning::ProfileWithoutFhirUser);
        }
        doubts
    }
}
