//! What the path of a request to the FHIR API says.

use super::named_patient::NamedPatient;
use super::request_line::{RestInteraction, Verb};
use super::shape::{MASK, is_id, is_operation, is_type_name};

/// What a path below the base says.
pub(super) struct Place<'a> {
    pub(super) shown: String,
    pub(super) interaction: Option<RestInteraction>,
    pub(super) resource_type: Option<&'a str>,
    pub(super) id: Option<&'a str>,
    pub(super) patient: NamedPatient,
}

impl<'a> Place<'a> {
    pub(super) fn of(verb: Verb, path: &'a str) -> Self {
        use RestInteraction as I;
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let shown = shown_path(&segments);
        let reads = matches!(verb, Verb::Get | Verb::Head);
        let posts = verb == Verb::Post;
        let (interaction, resource_type, id) = match segments.as_slice() {
            [] if posts => (Some(I::Batch), None, None),
            [] if reads => (Some(I::SearchSystem), None, None),
            ["metadata"] if reads => (Some(I::Capabilities), None, None),
            ["_history"] if reads => (Some(I::HistorySystem), None, None),
            ["_search"] if posts => (Some(I::SearchSystem), None, None),
            [operation] if is_operation(operation) => (Some(I::Operation), None, None),
            [name, rest @ ..] if is_type_name(name) => match rest {
                [] => (of_type(verb), Some(*name), None),
                ["_search"] if posts => (Some(I::SearchType), Some(*name), None),
                ["_history"] if reads => (Some(I::HistoryType), Some(*name), None),
                [operation] if is_operation(operation) => (Some(I::Operation), Some(*name), None),
                [id] => (of_instance(verb), Some(*name), Some(*id)),
                [id, "_history"] if reads => (Some(I::HistoryInstance), Some(*name), Some(*id)),
                [id, "_history", _] if reads => (Some(I::Vread), Some(*name), Some(*id)),
                [id, operation] if is_operation(operation) => (Some(I::Operation), Some(*name), Some(*id)),
                // A compartment: the search is for the other type.
                [_, "*"] if reads => (Some(I::SearchSystem), None, None),
                [_, other] if reads && is_type_name(other) => (Some(I::SearchType), Some(*other), None),
                [_, other, "_search"] if posts && is_type_name(other) => (Some(I::SearchType), Some(*other), None),
                _ => (None, Some(*name), None),
            },
            _ => (None, None, None),
        };
        let patient = NamedPatient::of_path(&segments);
        Self { shown, interaction, resource_type, id: id.filter(|id| is_id(id)), patient }
    }
}

fn of_type(verb: Verb) -> Option<RestInteraction> {
    Some(match verb {
        Verb::Get | Verb::Head => RestInteraction::SearchType,
        Verb::Post => RestInteraction::Create,
        Verb::Put => RestInteraction::Update,
        Verb::Patch => RestInteraction::Patch,
        Verb::Delete => RestInteraction::Delete,
        Verb::Other => return None,
    })
}

fn of_instance(verb: Verb) -> Option<RestInteraction> {
    Some(match verb {
        Verb::Get | Verb::Head => RestInteraction::Read,
        Verb::Put => RestInteraction::Update,
        Verb::Patch => RestInteraction::Patch,
        Verb::Delete => RestInteraction::Delete,
        Verb::Post | Verb::Other => return None,
    })
}

/// The path with all masked but words of FHIR in their places: an id may look like the name of a type.
fn shown_path(segments: &[&str]) -> String {
    let after_type = segments.first().is_some_and(|first| is_type_name(first));
    let word = |at: usize, segment: &str| match at {
        0 => is_type_name(segment) || matches!(segment, "metadata" | "_history" | "_search" | ".well-known"),
        1 if after_type => matches!(segment, "_history" | "_search"),
        1 => segments.first() == Some(&".well-known") && segment == "smart-configuration",
        2 => after_type && (is_type_name(segment) || matches!(segment, "_history" | "*")),
        3 => after_type && segment == "_search",
        _ => false,
    };
    let shown: Vec<&str> = segments
        .iter()
        .enumerate()
        .map(|(at, segment)| if word(at, segment) || is_operation(segment) { segment } else { MASK })
        .collect();
    shown.join("/")
}
