//! Building the scopes that an app asks for.

use super::convert::{V1Error, Widening};
use super::error::ScopeError;
use super::launch::LaunchScope;
use super::level::Level;
use super::permissions::Permissions;
use super::resource::ResourceScope;
use super::scopes::Scopes;
use super::syntax::Syntax;
use super::token::Scope;
use super::warning::ScopeWarning;

/// Builds the scopes for one kind of launch, and adds those that the launch needs.
///
/// ```
/// use smart_core::scope::{Level, Permissions, ScopesBuilder};
///
/// let built = ScopesBuilder::standalone()
///     .identity()
///     .resource(Level::Patient, "Observation", Permissions::READ_SEARCH)?
///     .build()?;
/// assert_eq!(built.scopes().to_string(), "launch/patient openid fhirUser patient/Observation.rs");
/// assert!(built.warnings().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ScopesBuilder {
    launch: Launch,
    scopes: Scopes,
    syntax: Option<Syntax>,
    widening: Widening,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Launch {
    Ehr,
    Standalone,
    Backend,
}

/// Scopes to ask for, and what is doubtful in them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct BuiltScopes {
    scopes: Scopes,
    warnings: Vec<ScopeWarning>,
}

impl BuiltScopes {
    /// The scopes to ask for.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// What is doubtful in them.
    pub fn warnings(&self) -> &[ScopeWarning] {
        &self.warnings
    }

    /// The scopes to ask for, without the warnings.
    #[must_use]
    pub fn into_scopes(self) -> Scopes {
        self.scopes
    }
}

impl ScopesBuilder {
    /// For an app that an EHR launches: `launch` is added (SMART, apps that launch from the EHR).
    pub fn ehr_launch() -> Self {
        Self::new(Launch::Ehr)
    }

    /// For an app that starts by itself: `launch/patient` is added where a `patient/` scope is asked for, since servers may
    /// refuse it otherwise, and the bare `launch` is left out (SMART, standalone apps).
    pub fn standalone() -> Self {
        Self::new(Launch::Standalone)
    }

    /// For a backend service: it has neither user nor launch, so `system/` scopes alone make sense.
    pub fn backend() -> Self {
        Self::new(Launch::Backend)
    }

    fn new(launch: Launch) -> Self {
        Self { launch, scopes: Scopes::new(), syntax: None, widening: Widening::default() }
    }

    /// Adds a scope.
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.scopes.insert(scope.into());
        self
    }

    /// Adds scopes.
    pub fn scopes(mut self, scopes: &Scopes) -> Self {
        self.scopes.extend(scopes.iter().cloned());
        self
    }

    /// Adds scopes from a text, which is read strictly. The constants in [`common`](super::common) go here.
    ///
    /// # Errors
    /// [`ScopeError`] for the first illegal one.
    pub fn text(self, scopes: &str) -> Result<Self, ScopeError> {
        Ok(self.scopes(&scopes.parse()?))
    }

    /// Adds a scope for one resource type.
    ///
    /// # Errors
    /// [`ScopeError`] when the type is not the name of one; for all types see [`all_types`](Self::all_types).
    pub fn resource(self, level: Level, resource_type: &str, permissions: Permissions) -> Result<Self, ScopeError> {
        Ok(self.scope(ResourceScope::new(level, resource_type, permissions)?))
    }

    /// Adds a scope for one resource type, narrowed by search parameters, values as they are meant.
    ///
    /// # Errors
    /// [`ScopeError`] when the type or a parameter has no legal name, or a value is empty.
    pub fn resource_where<'p>(
        self,
        level: Level,
        resource_type: &str,
        permissions: Permissions,
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) -> Result<Self, ScopeError> {
        Ok(self.scope(ResourceScope::new(level, resource_type, permissions)?.narrowed(parameters)?))
    }

    /// Adds a wildcard scope: for all resource types, those of the future included. Most apps need less.
    pub fn all_types(self, level: Level, permissions: Permissions) -> Self {
        self.scope(ResourceScope::all_types(level, permissions))
    }

    /// Asks who the user is: `openid fhirUser`.
    pub fn identity(self) -> Self {
        self.scope(Scope::OpenId).scope(Scope::FhirUser)
    }

    /// Asks for a patient: `launch/patient`. In an EHR launch this is a hint.
    pub fn patient_context(self) -> Self {
        self.scope(Scope::LAUNCH_PATIENT)
    }

    /// Asks for an encounter: `launch/encounter`. In an EHR launch this is a hint.
    pub fn encounter_context(self) -> Self {
        self.scope(Scope::LAUNCH_ENCOUNTER)
    }

    /// Asks for context of a resource type, in any case of letters: `DiagnosticReport` is `launch/diagnosticreport`.
    ///
    /// # Errors
    /// [`ScopeError`] when the type is not the name of one.
    pub fn context(self, resource_type: &str) -> Result<Self, ScopeError> {
        Ok(self.scope(LaunchScope::context(resource_type)?))
    }

    /// Asks for context of a resource type in a role; once for each role. Experimental in SMART 2.2.
    ///
    /// # Errors
    /// [`ScopeError`] when type or role are not legal.
    pub fn context_in_role(self, resource_type: &str, role: &str) -> Result<Self, ScopeError> {
        Ok(self.scope(LaunchScope::context(resource_type)?.with_role(role)?))
    }

    /// Asks for a refresh token that outlives the user's presence.
    pub fn offline_access(self) -> Self {
        self.scope(Scope::OfflineAccess)
    }

    /// Asks for a refresh token while the user is present: EHR launches only since SMART 2.2.
    pub fn online_access(self) -> Self {
        self.scope(Scope::OnlineAccess)
    }

    /// Writes all resource scopes in this syntax; see [`Syntax::choose`]. By default each stays as it is.
    pub fn syntax(mut self, syntax: Syntax) -> Self {
        self.syntax = Some(syntax);
        self
    }

    /// Whether version 1 syntax may ask for more than was meant. By default it may not.
    pub fn widening(mut self, widening: Widening) -> Self {
        self.widening = widening;
        self
    }

    /// The scopes to ask for: those that the launch needs first, then the others in the order in which they were added.
    ///
    /// # Errors
    /// [`V1Error`] when version 1 syntax was chosen, a scope cannot be said in it and widening is not allowed.
    pub fn build(self) -> Result<BuiltScopes, V1Error> {
        let mut warnings = self.launch_warnings();
        warnings.extend(self.scopes.doubts());
        let wanted = match self.syntax {
            None => self.scopes.clone(),
            Some(Syntax::V1) => self.scopes.to_v1(self.widening)?,
            Some(Syntax::V2) => self.scopes.to_v2(),
        };
        let left_out = |scope: &Scope| self.launch != Launch::Ehr && *scope == Scope::LAUNCH;
        let scopes = self.implied().into_iter().chain(wanted).filter(|scope| !left_out(scope)).collect();
        Ok(BuiltScopes { scopes, warnings })
    }

    /// The scopes that the others or the launch call for.
    fn implied(&self) -> Vec<Scope> {
        let mut implied = Vec::new();
        let has_patient_level = self.scopes.resources().any(|scope| scope.level() == Level::Patient);
        match self.launch {
            Launch::Ehr => implied.push(Scope::LAUNCH),
            Launch::Standalone if has_patient_level => implied.push(Scope::LAUNCH_PATIENT),
            Launch::Standalone | Launch::Backend => {}
        }
        if self.scopes.contains(&Scope::FhirUser) {
            implied.push(Scope::OpenId);
        }
        implied
    }

    fn launch_warnings(&self) -> Vec<ScopeWarning> {
        let mut warnings = Vec::new();
        if self.launch != Launch::Ehr && self.scopes.contains(&Scope::LAUNCH) {
            warnings.push(ScopeWarning::BareLaunchLeftOut);
        }
        if self.launch == Launch::Standalone && self.scopes.contains(&Scope::OnlineAccess) {
            warnings.push(ScopeWarning::OnlineAccessOutsideEhrLaunch);
        }
        if self.launch == Launch::Backend {
            let unfit = self.scopes.iter().filter(|scope| match scope {
                Scope::Resource(resource) => resource.level() != Level::System,
                Scope::Other(_) => false,
                other => **other != Scope::LAUNCH,
            });
            warnings.extend(unfit.cloned().map(ScopeWarning::NotForBackend));
        }
        warnings
    }
}
