//! Which patient a request names.

use super::shape::is_id;
use url::form_urlencoded;

/// Which patient a request names. Where that is unclear no patient is told: a trail that names the wrong one is worse than
/// one that names none.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum NamedPatient {
    /// None: the one in context is meant.
    Nobody,
    /// This one.
    One(String),
    /// Several, or one in another way than by a plain id.
    Unclear,
}

impl NamedPatient {
    /// By a path below the base: `Patient/123` and what lies below it.
    pub(super) fn of_path(segments: &[&str]) -> Self {
        match segments {
            ["Patient", id, ..] if is_id(id) => Self::One((*id).to_owned()),
            ["Patient", "_search" | "_history"] | ["Patient"] => Self::Nobody,
            ["Patient", ..] => Self::Unclear,
            _ => Self::Nobody,
        }
    }

    /// By a query: `patient=123`, `patient=Patient/123`, `subject=Patient/123`, `subject:Patient=123`, or `_id=123` where
    /// patients are searched.
    pub(super) fn of_query(query: &str, resource_type: Option<&str>) -> Self {
        form_urlencoded::parse(query.as_bytes()).fold(Self::Nobody, |named, (name, value)| {
            let stripped = value.strip_prefix("Patient/");
            let given = match (&*name, stripped) {
                ("patient" | "patient:Patient" | "subject:Patient", _) => Some(stripped.unwrap_or(&value)),
                ("subject", Some(id)) => Some(id),
                ("_id", _) if resource_type == Some("Patient") => Some(&*value),
                // Such as `subject=123`, `subject=Group/1`, `patient.name=..`, `patient:missing=true`.
                (name, _) if name.starts_with("patient") || name.starts_with("subject") => None,
                _ => return named,
            };
            named.and(match given {
                Some(id) if is_id(id) => Self::One(id.to_owned()),
                _ => Self::Unclear,
            })
        })
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nobody, one) | (one, Self::Nobody) => one,
            (one, other) if one == other => one,
            _ => Self::Unclear,
        }
    }
}

impl std::fmt::Debug for NamedPatient {
    /// Shows nobody.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::One(_) => "One(***)",
            Self::Unclear => "Unclear",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::NamedPatient::{Nobody, One, Unclear};
    use super::*;

    /// F-95 (BALP, patient as a subject): the patient is the one that the request names, and told only where that is clear.
    #[test]
    fn the_patient_is_the_one_that_the_request_names() {
        let one = || One("p1".to_owned());
        for (relative, named) in [
            ("Patient/p1", one()),
            ("Patient/p1/_history/2", one()),
            ("Patient/p1/Observation?patient=p1", one()),
            ("Observation?patient=p1&code=x", one()),
            ("Observation?patient=Patient/p1&patient=p1", one()),
            ("Observation?subject=Patient/p1", one()),
            ("Observation?subject:Patient=p1", one()),
            ("Patient?_id=p1", one()),
            ("Observation?_id=p1", Nobody),
            ("Observation/p1", Nobody),
            ("Observation?code=x", Nobody),
            ("Patient?name=p1", Nobody),
            ("Patient", Nobody),
            ("Observation?subject=Group/p1", Unclear),
            ("Observation?subject=p1", Unclear),
            ("Observation?patient=p1,p2", Unclear),
            ("Observation?patient=p1&patient=p2", Unclear),
            ("Patient/p1/Observation?patient=p2", Unclear),
            ("Observation?patient.name=p1", Unclear),
            ("Observation?patient:missing=true", Unclear),
            ("Patient/$match", Unclear),
            ("Patient?_id=p1,p2", Unclear),
        ] {
            let (path, query) = relative.split_once('?').unwrap_or((relative, ""));
            let segments: Vec<_> = path.split('/').collect();
            let found = NamedPatient::of_path(&segments).and(NamedPatient::of_query(query, segments.first().copied()));
            assert!(found == named, "{relative}: {found:?}");
        }
        assert!(!format!("{:?}", one()).contains("p1"));
    }
}
