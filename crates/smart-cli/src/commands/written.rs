//! What the commands that write have in common.

use crate::api::{Answer, EntityTag, RawResource, Return, SearchQuery, SearchValue};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::fhir_output::{answer_lines, told};
use crate::output::{Output, print_lines};
use clap::{Args, ValueEnum};
use url::form_urlencoded;

/// What the server should give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wanted {
    /// Nothing
    Minimal,
    /// The resource as it is stored
    Representation,
    /// What the server has to say
    Outcome,
}

/// The option for that.
#[derive(Debug, Args)]
pub(crate) struct Returning {
    /// What the server should give back; it may do otherwise
    #[arg(long = "return", value_name = "WHAT", value_enum)]
    wanted: Option<Wanted>,
}

impl Returning {
    /// The preference, where there is one.
    pub(crate) fn preference(&self) -> Option<Return> {
        self.wanted.map(|wanted| match wanted {
            Wanted::Minimal => Return::Minimal,
            Wanted::Representation => Return::Representation,
            Wanted::Outcome => Return::OperationOutcome,
        })
    }
}

/// What a write is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A resource by its type and id.
    Resource(String, String),
    /// What a search finds.
    Found(SearchQuery),
}

impl Target {
    /// Reads `Type/id`, or `Type?name=value&..` with values percent-encoded as in a URL.
    ///
    /// # Errors
    /// Usage.
    pub(crate) fn parse(text: &str) -> Result<Self, CliError> {
        let text = text.trim_start_matches('/');
        if let Some((resource_type, criteria)) = text.split_once('?') {
            return Ok(Self::Found(query(resource_type, criteria)));
        }
        match text.split_once('/') {
            Some((resource_type, id)) => Ok(Self::Resource(resource_type.to_owned(), id.to_owned())),
            None => Err(CliError::new(ExitCode::Usage, format!("`{text}` names no resource")).with_next_step(
                "Give Patient/123, or a search such as 'Patient?identifier=http://ehr.example/mrn|7'.",
            )),
        }
    }
}

/// A search of the criteria as they stand in a URL.
pub(crate) fn query(resource_type: &str, criteria: &str) -> SearchQuery {
    let pairs = form_urlencoded::parse(criteria.as_bytes());
    pairs.fold(SearchQuery::new(resource_type), |query, (name, value)| query.param(name, SearchValue::raw(value)))
}

/// The version that is meant: a tag as the server gives it, or the version's id alone.
///
/// # Errors
/// Usage.
pub(crate) fn version(text: &str) -> Result<EntityTag, CliError> {
    let tag = if text.contains('"') { EntityTag::parse(text) } else { EntityTag::of_version(text) };
    tag.map_err(|error| {
        CliError::new(ExitCode::Usage, format!("the version is {error}"))
            .with_next_step("Give the version id as `meta.versionId` has it, such as 3.")
    })
}

/// Prints what came of it, and tells the person in a sentence.
///
/// # Errors
/// As for [`CliError::output`].
pub(crate) fn print(answer: &Answer<Option<RawResource>>, done: &str, output: &Output) -> Result<(), CliError> {
    output.note(&told(answer, done));
    print_lines(answer_lines(answer, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target is a resource, or what a search finds; anything else is an error of usage.
    #[test]
    fn targets_are_read() {
        assert_eq!(Target::parse("/Patient/1").unwrap(), Target::Resource("Patient".to_owned(), "1".to_owned()));
        let Target::Found(query) = Target::parse("Patient?identifier=urn:x%7C7&active=true").unwrap() else { panic!() };
        assert_eq!(query.to_relative_url().unwrap(), "Patient?identifier=urn:x%7C7&active=true");
        assert_eq!(Target::parse("Patient").unwrap_err().code, ExitCode::Usage);
    }

    /// FR-13: a version is given as a tag or as its id.
    #[test]
    fn versions_are_read() {
        assert_eq!(version("3").unwrap().as_str(), "W/\"3\"");
        assert_eq!(version("\"3\"").unwrap().as_str(), "\"3\"");
        assert_eq!(version("a b").unwrap_err().code, ExitCode::Usage);
    }
}
