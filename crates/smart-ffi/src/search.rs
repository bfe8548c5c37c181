//! Searches, entry by entry.

use crate::error::SmartError;
use crate::session::Session;
use smart_on_fhir::fhir::{EntryStream, SearchMode, SearchQuery, SearchValue};
use std::sync::Arc;

/// A parameter of a search or an operation.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Parameter {
    /// Its name, with a modifier where there is one: `name:exact`.
    pub name: String,
    /// Its value in FHIR's syntax, as in `http://loinc.org|85354-9` or `ge2026-01-01`, not percent-encoded. What a person typed goes through
    /// [`search_literal`] first, so that it cannot widen the search.
    pub value: String,
}

impl std::fmt::Debug for Parameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parameter").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A text as a search value that means just this text: `$`, `,`, `|` and `\` are escaped (FHIR R4, search.html#escaping).
#[uniffi::export]
pub fn search_literal(text: &str) -> String {
    SearchValue::literal(text).as_str().to_owned()
}

/// Why an entry is in a search result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EntryMode {
    /// It is what was searched for.
    Match,
    /// It comes along with a match.
    Include,
    /// It is an OperationOutcome about the search itself.
    Outcome,
}

/// An entry of a search result.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct SearchEntry {
    /// Why it is there.
    pub mode: EntryMode,
    /// The resource as it came: every digit of its decimals.
    pub json: String,
}

impl std::fmt::Debug for SearchEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchEntry").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// The result of a search, over all its pages; each page is asked for when it is needed.
#[derive(uniffi::Object)]
pub struct SearchPager(tokio::sync::Mutex<EntryStream>);

#[uniffi::export(async_runtime = "tokio")]
impl SearchPager {
    /// The next entry. None after the last.
    ///
    /// # Errors
    /// `fhir/..` when there may be one more and it cannot be had: what came before is not the whole result. After that there is nothing more.
    pub async fn next(&self) -> Result<Option<SearchEntry>, SmartError> {
        let Some(entry) = self.0.lock().await.try_next().await? else { return Ok(None) };
        let mode = match entry.mode {
            SearchMode::Match => EntryMode::Match,
            SearchMode::Include => EntryMode::Include,
            SearchMode::Outcome => EntryMode::Outcome,
        };
        let raw = entry.raw().map(|raw| String::from_utf8_lossy(raw.octets()).into_owned());
        Ok(Some(SearchEntry { mode, json: raw.unwrap_or_else(|| entry.resource.to_string()) }))
    }

    /// The matches that are left, at most `limit`.
    ///
    /// # Errors
    /// As for [`next`](Self::next).
    pub async fn matches(&self, limit: u32) -> Result<Vec<String>, SmartError> {
        let mut matches = Vec::new();
        while u32::try_from(matches.len()).is_ok_and(|found| found < limit) {
            let Some(entry) = self.next().await? else { break };
            if entry.mode == EntryMode::Match {
                matches.push(entry.json);
            }
        }
        Ok(matches)
    }

    /// How many matches there are on all pages, as the server counted. None before the first page, or when it does not count.
    pub async fn total(&self) -> Option<u64> {
        self.0.lock().await.total()
    }
}

impl std::fmt::Debug for SearchPager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SearchPager")
    }
}

#[uniffi::export]
impl Session {
    /// Searches (FHIR R4, search.html). Nothing is sent before the first entry is asked for.
    pub fn search(&self, resource_type: String, parameters: Vec<Parameter>) -> Arc<SearchPager> {
        let query = parameters.into_iter().fold(SearchQuery::new(resource_type), |query, parameter| {
            query.param(parameter.name, SearchValue::raw(parameter.value))
        });
        Arc::new(SearchPager(tokio::sync::Mutex::new(self.fhir.search(query).entries())))
    }
}
