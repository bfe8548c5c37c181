//! The OperationOutcome resource: what the server has to say about a request.

use serde_json::{Map, Value};
use std::fmt;

/// How many issues of one outcome are read.
const MAX_ISSUES: usize = 100;

/// An OperationOutcome. Debug and Display show codes only: the texts may repeat search criteria or names.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct OperationOutcome {
    issues: Vec<Issue>,
}

impl OperationOutcome {
    /// Reads a resource; `None` when it is no OperationOutcome. What is malformed in it is left out.
    pub fn from_resource(resource: &Map<String, Value>) -> Option<Self> {
        if resource.get("resourceType").and_then(Value::as_str) != Some("OperationOutcome") {
            return None;
        }
        let issues = resource.get("issue").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Some(Self { issues: issues.iter().take(MAX_ISSUES).filter_map(Value::as_object).map(Issue::read).collect() })
    }

    /// Whether one of the issues is an error, or fatal: what was asked for was not, or would not be, done.
    pub fn is_error(&self) -> bool {
        self.issues.iter().any(|issue| matches!(issue.severity(), "error" | "fatal"))
    }

    /// Whether one of the issues has this code, such as `not-found`, `duplicate` or `too-costly` (value set issue-type).
    pub fn has_code(&self, code: &str) -> bool {
        self.issues.iter().any(|issue| issue.code() == code)
    }

    /// The issues, 100 at most.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }
}

impl fmt::Display for OperationOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, issue) in self.issues.iter().take(5).enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{} {}", issue.severity, issue.code)?;
        }
        if self.issues.len() > 5 { f.write_str(", ...") } else { Ok(()) }
    }
}

impl fmt::Debug for OperationOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperationOutcome({self})")
    }
}

/// One issue of an [`OperationOutcome`]. Debug shows the codes only.
#[derive(Clone, PartialEq, Eq)]
pub struct Issue {
    severity: String,
    code: String,
    details: Option<String>,
    diagnostics: Option<String>,
    expressions: Vec<String>,
}

impl Issue {
    fn read(issue: &Map<String, Value>) -> Self {
        let text = |name: &str| issue.get(name).and_then(Value::as_str).map(str::to_owned);
        let code = |name: &str| text(name).filter(|code| is_code(code)).unwrap_or_else(|| "unknown".to_owned());
        let strings = |name: &str| {
            let list = issue.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let mut expressions = strings("expression");
        if expressions.is_empty() {
            // DSTU2 and some servers since name the place by an XPath.
            expressions = strings("location");
        }
        Self {
            severity: code("severity"),
            code: code("code"),
            details: issue.get("details").and_then(details_text),
            diagnostics: text("diagnostics"),
            expressions,
        }
    }

    /// How grave it is: `fatal`, `error`, `warning`, `information`; `unknown` when the server gives no such code.
    pub fn severity(&self) -> &str {
        &self.severity
    }

    /// What kind of issue it is, such as `not-found` (value set issue-type); `unknown` when there is no such code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// More on the issue, as text or as a coding's display. The server's words: untrusted, may hold health data.
    pub fn details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    /// More on the issue, for a developer. The server's words: untrusted, may hold health data.
    pub fn diagnostics(&self) -> Option<&str> {
        self.diagnostics.as_deref()
    }

    /// The elements that it is about, as FHIRPath (or XPath of old servers). Untrusted.
    pub fn expressions(&self) -> &[String] {
        &self.expressions
    }
}

impl fmt::Debug for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issue({} {})", self.severity, self.code)
    }
}

fn details_text(details: &Value) -> Option<String> {
    let coding = details.get("coding").and_then(|codings| codings.get(0));
    let text = details.get("text").or_else(|| coding?.get("display")).or_else(|| coding?.get("code"));
    text.and_then(Value::as_str).map(str::to_owned)
}

/// Whether a text is a code that may be shown: those of the value sets are short words of small letters and hyphens.
fn is_code(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Option<OperationOutcome> {
        OperationOutcome::from_resource(value.as_object().unwrap())
    }

    /// FR-17 (FHIR R4, operationoutcome): all issues are read, with details from text or coding.
    #[test]
    fn issues_are_read() {
        let outcome = read(&json!({"resourceType": "OperationOutcome", "issue": [
            {"severity": "error", "code": "not-found", "diagnostics": "no Smith", "details": {"text": "t"},
             "expression": ["Patient.name"]},
            {"severity": "warning", "code": "processing", "details": {"coding": [{"display": "d"}]}, "location": ["/f:x"]},
        ]}))
        .unwrap();
        let [first, second] = outcome.issues() else { panic!() };
        assert_eq!((first.severity(), first.code(), first.details()), ("error", "not-found", Some("t")));
        assert_eq!((first.diagnostics(), first.expressions()), (Some("no Smith"), &["Patient.name".to_owned()][..]));
        assert_eq!((second.details(), second.expressions()), (Some("d"), &["/f:x".to_owned()][..]));
        assert_eq!(outcome.to_string(), "error not-found, warning processing");
    }

    /// FR-23 (SMART, App protection): neither Debug nor Display shows the server's free text.
    #[test]
    fn free_text_is_not_shown() {
        let outcome = read(&json!({"resourceType": "OperationOutcome", "issue": [
            {"severity": "Smith", "code": "smith smith", "diagnostics": "Smith", "details": {"text": "Smith"},
             "expression": ["Smith"]}]}))
        .unwrap();
        assert!(!format!("{outcome} {outcome:?} {:?}", outcome.issues()).to_lowercase().contains("smith"));
    }

    /// FR-17: a malformed outcome is read as far as it goes; another resource is none.
    #[test]
    fn malformed_outcomes_are_read_as_far_as_they_go() {
        assert!(read(&json!({"resourceType": "OperationOutcome", "issue": "x"})).unwrap().issues().is_empty());
        let odd = read(&json!({"resourceType": "OperationOutcome", "issue": [1, {}, {"severity": 3, "details": []}]}));
        assert_eq!(odd.unwrap().issues().len(), 2);
        assert_eq!(read(&json!({"resourceType": "Patient"})), None);
        let many = json!({"resourceType": "OperationOutcome", "issue": vec![json!({}); 1000]});
        assert_eq!(read(&many).unwrap().issues().len(), MAX_ISSUES);
    }
}
