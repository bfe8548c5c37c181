//! Resources that a test puts in or looks at, past scopes.

use super::Access;
use super::context::Context;
use super::write::sound;
use crate::error::SandboxError;
use crate::shared::Shared;
use crate::{Sandbox, fhir};
use serde_json::Value;
use std::collections::HashSet;

impl Sandbox {
    /// Stores a resource, as JSON text, past all scopes: the next version of what has its id, or a new one. It has to be as
    /// sound as what an app may store. Gives its reference, such as `Patient/made-1`.
    ///
    /// ```
    /// # use smart_sandbox::{Sandbox, SandboxConfig};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), smart_sandbox::SandboxError> {
    /// let sandbox = Sandbox::start(SandboxConfig::default()).await?;
    /// let patient = sandbox.put_resource(r#"{"resourceType": "Patient", "birthDate": "1990-01-01"}"#)?;
    /// assert!(sandbox.resource(&patient).is_some_and(|text| text.contains("1990-01-01")));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SandboxError::Resource`], which says what is wrong.
    pub fn put_resource(&self, json: &str) -> Result<String, SandboxError> {
        let wrong = |reason: String| SandboxError::Resource(reason);
        let read: Value = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
        let access = Access::everything();
        let shared: &Shared = &self.shared;
        let context = Context { access: &access, root: &shared.fhir_root, now: shared.now(), pending: HashSet::new() };
        let mut sound = sound(&context, read).map_err(|fault| wrong(fault.diagnostics))?;
        shared.change(|resources| {
            if sound.get("id").is_none() {
                let resource_type = sound.get("resourceType").and_then(Value::as_str).unwrap_or_default();
                let id = resources.fresh_id(resource_type);
                fhir::structure::set_member(&mut sound, "id", id.into());
            }
            let stored = resources.store(sound, shared.now()).map_err(|full| wrong(full.to_string()))?;
            Ok(stored.resource.reference())
        })
    }

    /// The resource of a reference such as `Patient/p1001` as it is now, as JSON text, past all scopes.
    pub fn resource(&self, reference: &str) -> Option<String> {
        let (resource_type, id) = reference.split_once('/')?;
        self.shared.resources().live(resource_type, id).map(|stored| stored.content().to_string())
    }
}
