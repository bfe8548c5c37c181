//! A request to a FHIR server, as far as scopes care.

use super::interaction::Interaction;
use super::level::Level;
use super::resource::type_length;
use std::borrow::Cow;

/// What an app wants to do: an interaction, on a resource type, maybe with search parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest<'a> {
    interaction: Interaction,
    resource_type: Option<&'a str>,
    parameters: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    level: Option<Level>,
}

impl<'a> AccessRequest<'a> {
    /// An interaction on a resource type. For an interaction on the whole system the type makes no difference.
    pub fn new(interaction: Interaction, resource_type: &'a str) -> Self {
        Self { interaction, resource_type: Some(resource_type), parameters: Vec::new(), level: None }
    }

    /// An interaction on all resource types at once: it needs a wildcard scope.
    pub fn on_all_types(interaction: Interaction) -> Self {
        Self { interaction, resource_type: None, parameters: Vec::new(), level: None }
    }

    /// Adds search parameters, names and values as they are meant (not percent-encoded).
    pub fn with_parameters<N, V>(mut self, parameters: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Cow<'a, str>>,
        V: Into<Cow<'a, str>>,
    {
        self.parameters.extend(parameters.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Lets only scopes of this level count.
    pub fn at_level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Reads the method and the URL, relative to the FHIR base, of a bundle entry or of a plain request.
    ///
    /// `None` for what no scope speaks of: operations (`$everything`), `metadata`, a batch or transaction itself, and
    /// what is no FHIR interaction. A search in a compartment (`Patient/1/Observation`) is a search of the type
    /// searched for. Conditional forms need what their interaction needs.
    pub fn from_http(method: &str, relative_url: &'a str) -> Option<Self> {
        let (path, query) = relative_url.split_once('?').unwrap_or((relative_url, ""));
        let path = path.trim_matches('/');
        let mut parts = [""; 5];
        for (index, part) in path.split('/').enumerate() {
            *parts.get_mut(index)? = part;
        }
        let [first, second, third, fourth, fifth] = parts;
        let is_type = |text: &str| !text.is_empty() && type_length(text) == text.len();
        let is_id = |text: &str| !text.is_empty() && !text.starts_with(['_', '$', '*']);
        let on = |interaction| Some(Self::new(interaction, first));
        let request = if !fifth.is_empty() {
            None
        } else if is_type(first) {
            match (method, second, third, fourth) {
                ("GET" | "HEAD", "", "", "") | ("POST", "_search", "", "") => on(Interaction::SearchType),
                ("POST", "", "", "") => on(Interaction::Create),
                ("PUT", "", "", "") if !query.is_empty() => on(Interaction::Update),
                ("PATCH", "", "", "") if !query.is_empty() => on(Interaction::Patch),
                ("DELETE", "", "", "") if !query.is_empty() => on(Interaction::Delete),
                ("GET" | "HEAD", "_history", "", "") => on(Interaction::HistoryType),
                (_, id, ..) if !is_id(id) => None,
                ("GET" | "HEAD", _, "", "") => on(Interaction::Read),
                ("PUT", _, "", "") => on(Interaction::Update),
                ("PATCH", _, "", "") => on(Interaction::Patch),
                ("DELETE", _, "", "") => on(Interaction::Delete),
                ("GET" | "HEAD", _, "_history", "") => on(Interaction::HistoryInstance),
                ("GET" | "HEAD", _, "_history", version) if is_id(version) => on(Interaction::VRead),
                ("GET" | "HEAD", _, "*", "") | ("POST", _, "_search", "") => {
                    Some(Self::on_all_types(Interaction::SearchSystem))
                }
                ("GET" | "HEAD", _, searched, "") | ("POST", _, searched, "_search") if is_type(searched) => {
                    Some(Self::new(Interaction::SearchType, searched))
                }
                _ => None,
            }
        } else {
            match (method, first, second) {
                ("GET" | "HEAD", "", "") if !query.is_empty() => Some(Self::on_all_types(Interaction::SearchSystem)),
                ("POST", "_search", "") => Some(Self::on_all_types(Interaction::SearchSystem)),
                ("GET" | "HEAD", "_history", "") => Some(Self::on_all_types(Interaction::HistorySystem)),
                _ => None,
            }
        }?;
        Some(request.with_parameters(url::form_urlencoded::parse(query.as_bytes())))
    }

    /// The interaction.
    pub fn interaction(&self) -> Interaction {
        self.interaction
    }

    /// The resource type, or `None` for all types at once.
    pub fn resource_type(&self) -> Option<&'a str> {
        self.resource_type.filter(|_| !self.interaction.is_system_wide())
    }

    /// The search parameters.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The only level that counts, if there is such.
    pub fn level(&self) -> Option<Level> {
        self.level
    }

    /// Whether the resource type could be the name of one, or none was given.
    pub(super) fn has_legal_type(&self) -> bool {
        self.resource_type().is_none_or(|name| !name.is_empty() && type_length(name) == name.len())
    }
}
