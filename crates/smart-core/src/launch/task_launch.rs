//! A Task that asks for an app to be launched (SMART App Launch 2.2, task-launch).

use crate::context::is_fhir_id;
use crate::fhir_base::FhirBaseUrl;
use crate::fhir_json::{codes, is_resource, items, text};
use crate::json::{JsonError, parse_object};
use crate::url_policy::{UrlError, UrlPolicy};
use serde_json::Value;
use url::Url;

/// The code system of the task profiles.
pub const SMART_CODES: &str = "http://hl7.org/fhir/smart-app-launch/CodeSystem/smart-codes";

/// What a launch Task asks for.
///
/// It is a suggestion out of a record: whoever may write Tasks may name any app. Look its address up among the apps that
/// are known, and let a person decide. `Debug` does not show whose record it is.
#[derive(Clone, PartialEq, Eq)]
pub struct TaskLaunch {
    /// How the app is to be launched.
    pub how: TaskLaunchKind,
    /// The app: its launch URL in an EHR launch.
    pub application: Url,
    /// What the app is to be told, as `appContext` of the token response (CDS Hooks, link). Untrusted text, often JSON.
    pub app_context: Option<String>,
    /// The patient of the launch (`Task.for`).
    pub patient: Option<TaskReference>,
    /// The encounter of the launch (`Task.encounter`).
    pub encounter: Option<TaskReference>,
    /// What the task is about (`Task.focus`).
    pub focus: Option<TaskReference>,
    /// The status of the task: `requested` and the like. Nothing is to be launched for one that is over.
    pub status: Option<String>,
}

/// How a Task wants an app to be launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskLaunchKind {
    /// By an EHR launch (`launch-app-ehr`).
    Ehr,
    /// By a standalone launch (`launch-app-standalone`).
    Standalone,
}

/// A literal reference of a Task, as it came. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct TaskReference {
    reference: String,
}

/// Why a Task is no launch. Nothing of the record is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum TaskLaunchError {
    /// It is no JSON object.
    #[error("the task is {0}")]
    Json(#[from] JsonError),
    /// It is another resource than a Task.
    #[error("the resource is no Task")]
    NotATask,
    /// It asks for something else than a launch. Most tasks do.
    #[error("the task asks for no launch of a SMART app")]
    NotALaunch,
    /// It has both codes, so that nobody can say which is meant.
    #[error("the task asks for an EHR launch and for a standalone launch at once")]
    BothKinds,
    /// An input that must be there once is missing, comes twice, or is of another type.
    #[error("the task has no single `{input}` of the type `{value}`")]
    Input {
        /// The code of the input.
        input: &'static str,
        /// The member that has to hold its value.
        value: &'static str,
    },
    /// The address of the app may not be used.
    #[error("the address of the app may not be used: {0}")]
    Application(#[from] UrlError),
    /// A member refers to something else than it has to: no launch for a patient that is none.
    #[error("`{member}` of the task is no reference to a resource of the type {resource_type}")]
    Reference {
        /// `for` or `encounter`.
        member: &'static str,
        /// The type that it has to be of.
        resource_type: &'static str,
    },
}

impl TaskLaunch {
    /// Reads a Task out of its JSON text.
    ///
    /// # Errors
    /// [`TaskLaunchError`].
    pub fn parse(body: &[u8], policy: UrlPolicy) -> Result<Self, TaskLaunchError> {
        Self::from_resource(&Value::Object(parse_object(body)?), policy)
    }

    /// Reads a Task.
    ///
    /// # Errors
    /// [`TaskLaunchError`]; [`TaskLaunchError::NotALaunch`] is what most tasks give.
    pub fn from_resource(task: &Value, policy: UrlPolicy) -> Result<Self, TaskLaunchError> {
        if !is_resource(task, "Task") {
            return Err(TaskLaunchError::NotATask);
        }
        let how = kind(task)?;
        let application = input(task, "smartonfhir-application", "valueUrl")?
            .ok_or(TaskLaunchError::Input { input: "smartonfhir-application", value: "valueUrl" })?;
        Ok(Self {
            how,
            application: policy.parse(application)?,
            app_context: input(task, "smartonfhir-appcontext", "valueString")?.map(str::to_owned),
            patient: reference_to(task, "for", "Patient")?,
            encounter: reference_to(task, "encounter", "Encounter")?,
            focus: literal(task, "focus"),
            status: text(task, "status").map(str::to_owned),
        })
    }
}

fn kind(task: &Value) -> Result<TaskLaunchKind, TaskLaunchError> {
    let Some(code) = task.get("code") else { return Err(TaskLaunchError::NotALaunch) };
    let has = |wanted: &str| codes(code, SMART_CODES).any(|code| code == wanted);
    match (has("launch-app-ehr"), has("launch-app-standalone")) {
        (true, false) => Ok(TaskLaunchKind::Ehr),
        (false, true) => Ok(TaskLaunchKind::Standalone),
        (true, true) => Err(TaskLaunchError::BothKinds),
        (false, false) => Err(TaskLaunchError::NotALaunch),
    }
}

/// The value of the one input with a code, or none where there is no such input.
fn input<'v>(task: &'v Value, code: &'static str, value: &'static str) -> Result<Option<&'v str>, TaskLaunchError> {
    let is_meant = |input: &&Value| {
        input.get("type").is_some_and(|concept| codes(concept, SMART_CODES).any(|found| found == code))
    };
    let mut inputs = items(task, "input").iter().filter(is_meant);
    let Some(first) = inputs.next() else { return Ok(None) };
    match (text(first, value), inputs.next()) {
        (Some(text), None) => Ok(Some(text)),
        _ => Err(TaskLaunchError::Input { input: code, value }),
    }
}

fn reference_to(
    task: &Value,
    member: &'static str,
    resource_type: &'static str,
) -> Result<Option<TaskReference>, TaskLaunchError> {
    match task.get(member) {
        None => Ok(None),
        Some(_) => match literal(task, member) {
            Some(reference) if reference.resource_type() == Some(resource_type) => Ok(Some(reference)),
            _ => Err(TaskLaunchError::Reference { member, resource_type }),
        },
    }
}

fn literal(task: &Value, member: &str) -> Option<TaskReference> {
    Some(TaskReference { reference: text(task.get(member)?, "reference")?.to_owned() })
}

impl TaskReference {
    /// The reference as it stands in the Task: relative to the server that the Task lies on, or absolute.
    pub fn as_str(&self) -> &str {
        &self.reference
    }

    /// The resource type that it names, where it is of the form `Type/id`, relative or absolute.
    pub fn resource_type(&self) -> Option<&str> {
        self.parts().map(|(_, resource_type, _)| resource_type)
    }

    /// The id of the resource, where it lies on this server. `base` is the server that the Task was read from; `None` for
    /// a resource of another server, whose id means nothing here.
    pub fn id_on(&self, base: &FhirBaseUrl) -> Option<&str> {
        let (before, resource_type, id) = self.parts()?;
        if before.is_empty() {
            return Some(id);
        }
        let url = Url::parse(&self.reference).ok()?;
        let own = base.join(&format!("{resource_type}/{id}")).ok()?;
        let is_here = crate::url_policy::same_origin(&url, &own)
            && (url.path() == own.path() || url.path().starts_with(&format!("{}/_history/", own.path())));
        is_here.then_some(id)
    }

    /// What stands before the type, the type, and the id; a version is left away.
    fn parts(&self) -> Option<(&str, &str, &str)> {
        let unversioned = match self.reference.rsplit_once("/_history/") {
            Some((before, version)) if is_fhir_id(version) => before,
            _ => &self.reference,
        };
        let (before, id) = unversioned.rsplit_once('/')?;
        let (before, resource_type) = before.rsplit_once('/').unwrap_or(("", before));
        let is_type = resource_type.starts_with(|c: char| c.is_ascii_uppercase())
            && resource_type.bytes().all(|c| c.is_ascii_alphabetic());
        let is_place = before.is_empty() || before.starts_with("https://") || before.starts_with("http://");
        (is_type && is_place && is_fhir_id(id)).then_some((before, resource_type, id))
    }
}

impl std::fmt::Debug for TaskReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TaskReference({}/***)", self.resource_type().unwrap_or("?"))
    }
}

impl std::fmt::Debug for TaskLaunch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskLaunch")
            .field("how", &self.how)
            .field("application", &self.application.as_str())
            .field("app_context", &self.app_context.as_ref().map(|_| "***"))
            .field("patient", &self.patient)
            .field("encounter", &self.encounter)
            .field("focus", &self.focus)
            .field("status", &self.status)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn task(code: &str) -> Value {
        json!({
            "resourceType": "Task", "id": "t-1", "status": "requested", "intent": "proposal",
            "code": {"coding": [{"system": "urn:x", "code": "launch-app-standalone"}, {"system": SMART_CODES, "code": code}]},
            "for": {"reference": "https://ehr.example/r4/Patient/p-777"}, "encounter": {"reference": "Encounter/e-888"},
            "focus": {"reference": "ServiceRequest/s-1"},
            "input": [
                {"type": {"coding": [{"system": SMART_CODES, "code": "smartonfhir-application"}]}, "valueUrl": "https://app.example/launch"},
                {"type": {"coding": [{"system": SMART_CODES, "code": "smartonfhir-appcontext"}]}, "valueString": "{\"field1\":\"value\"}"},
                {"type": {"text": "something else"}, "valueString": "x"},
            ],
        })
    }

    fn read(task: &Value) -> Result<TaskLaunch, TaskLaunchError> {
        TaskLaunch::parse(task.to_string().as_bytes(), UrlPolicy::HttpsOnly)
    }

    fn base() -> FhirBaseUrl {
        FhirBaseUrl::parse("https://ehr.example/r4/").unwrap()
    }

    /// LA-08, F-132 (SMART, task-launch): which app, how, and with what context.
    #[test]
    fn a_launch_task_names_app_way_and_context() {
        let launch = read(&task("launch-app-ehr")).unwrap();
        assert_eq!((launch.how, launch.application.as_str()), (TaskLaunchKind::Ehr, "https://app.example/launch"));
        assert_eq!(launch.app_context.as_deref(), Some("{\"field1\":\"value\"}"));
        assert_eq!(launch.status.as_deref(), Some("requested"));
        assert_eq!(launch.patient.as_ref().unwrap().id_on(&base()), Some("p-777"));
        assert_eq!(launch.encounter.as_ref().unwrap().id_on(&base()), Some("e-888"));
        assert_eq!(launch.focus.as_ref().unwrap().as_str(), "ServiceRequest/s-1");
        let shown = format!("{launch:?}");
        assert!(!shown.contains("777") && !shown.contains("888") && !shown.contains("field1"), "{shown}");
        assert_eq!(read(&task("launch-app-standalone")).unwrap().how, TaskLaunchKind::Standalone);

        let bare =
            json!({"resourceType": "Task", "code": task("launch-app-ehr")["code"], "input": [task("")["input"][0]]});
        let launch = read(&bare).unwrap();
        assert_eq!((launch.app_context, launch.patient, launch.encounter, launch.focus), (None, None, None, None));
    }

    /// LA-08: other tasks, and codes of other systems, are no launch.
    #[test]
    fn other_tasks_are_no_launch() {
        assert_eq!(read(&task("something-else")), Err(TaskLaunchError::NotALaunch));
        assert_eq!(read(&json!({"resourceType": "Task"})), Err(TaskLaunchError::NotALaunch));
        assert_eq!(read(&json!({"resourceType": "Patient"})), Err(TaskLaunchError::NotATask));
        assert!(matches!(TaskLaunch::parse(b"[]", UrlPolicy::HttpsOnly), Err(TaskLaunchError::Json(_))));
        let mut both = task("launch-app-ehr");
        both["code"]["coding"][0]["system"] = json!(SMART_CODES);
        assert_eq!(read(&both), Err(TaskLaunchError::BothKinds));
    }

    /// LA-08 (SMART, task-launch): one application, as a URL that may be used; at most one context, as a string.
    #[test]
    fn inputs_come_once_and_are_of_their_type() {
        let with = |change: fn(&mut Value)| {
            let mut task = task("launch-app-ehr");
            change(&mut task["input"]);
            read(&task).unwrap_err()
        };
        for change in [
            (|input| drop(input.as_array_mut().unwrap().remove(0))) as fn(&mut Value),
            |input| input[0]["valueUrl"] = json!(7),
            |input| {
                let first = input[0].clone();
                input.as_array_mut().unwrap().push(first);
            },
            |input| input[1]["valueString"] = json!({}),
        ] {
            assert!(matches!(with(change), TaskLaunchError::Input { .. }));
        }
        assert!(matches!(with(|i| i[0]["valueUrl"] = json!("http://app.example")), TaskLaunchError::Application(_)));
        assert!(matches!(with(|i| i[0]["valueUrl"] = json!("javascript:x")), TaskLaunchError::Application(_)));
    }

    /// LA-08: a task for something else than a patient gives no launch, and the id of another server's patient is
    /// no id here.
    #[test]
    fn wrong_patient_is_never_taken() {
        let with = |reference: &str| {
            let mut task = task("launch-app-ehr");
            task["for"] = json!({"reference": reference});
            read(&task).map(|launch| launch.patient.unwrap())
        };
        for reference in
            ["Group/1", "Patient", "#p", "urn:uuid:1", "Patient/a b", "Patient/1/x", "../Patient/1", "//x/Patient/1"]
        {
            let expected = TaskLaunchError::Reference { member: "for", resource_type: "Patient" };
            assert_eq!(with(reference), Err(expected), "{reference}");
        }
        let mut logical = task("launch-app-ehr");
        logical["for"] = json!({"identifier": {"value": "7"}});
        assert!(matches!(read(&logical), Err(TaskLaunchError::Reference { .. })));
        for (reference, id) in [
            ("Patient/1", Some("1")),
            ("Patient/1/_history/2", Some("1")),
            ("https://EHR.example/r4/Patient/1", Some("1")),
            ("https://ehr.example/r4/Patient/1/_history/2", Some("1")),
            ("https://ehr.example/r5/Patient/1", None),
            ("https://other.example/r4/Patient/1", None),
            ("https://ehr.example/r4/x/Patient/1", None),
            ("http://ehr.example/r4/Patient/1", None),
        ] {
            assert_eq!(with(reference).unwrap().id_on(&base()), id, "{reference}");
        }
    }
}
