//! `smart search`: a search over all its pages.

use crate::access::Access;
use crate::api::{FhirClient, Handling, RawResource, SearchMode, SearchQuery, SearchValue};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::fhir_output::{issue_lines, line_of, object_with_list, print_table};
use crate::output::{Output, print_lines};
use clap::Args;
use serde_json::json;

/// Search, and print each resource on a line (NDJSON)
///
/// Criteria are NAME=VALUE as FHIR has them: 'code=http://loinc.org|8480-6', 'date=ge2026-01-01', 'name:exact=Doe'. All pages are
/// read; numbers are printed as they came. What comes along with matches (_include) is printed too; what the server has to say about
/// the search goes to standard error.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The resource type, such as Observation; '*' for all types
    #[arg(value_name = "TYPE")]
    resource_type: String,

    /// What matches must meet, each NAME=VALUE; {patient} in a value is the patient of the login
    #[arg(value_name = "NAME=VALUE")]
    criteria: Vec<String>,

    /// Send the criteria in the body (POST _search), so that they are in no URL and no log of the server's
    #[arg(long)]
    post: bool,

    /// Have the server refuse criteria that it does not know; most pass over them, and find too much
    #[arg(long)]
    strict: bool,

    /// Print a table
    #[arg(long, conflicts_with = "json")]
    table: bool,

    /// End after this many matches
    #[arg(long, value_name = "MATCHES")]
    limit: Option<u64>,

    /// Give up after this many pages
    #[arg(long, value_name = "PAGES", default_value_t = 1000)]
    max_pages: u32,

    #[command(flatten)]
    access: Access,
}

impl Search {
    /// Searches and prints.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let opened = self.access.open().await?;
        let query = self.query(|value| opened.with_patient(value))?;
        let found = self.print(&opened.fhir(), query, output).await;
        found.map_err(|error| opened.at_its_server(error))
    }

    pub(super) fn query(&self, fill: impl Fn(&str) -> Result<String, CliError>) -> Result<SearchQuery, CliError> {
        let mut query = match self.resource_type.as_str() {
            "*" => SearchQuery::of_all_types(),
            name => SearchQuery::new(name),
        };
        for criterion in &self.criteria {
            let Some((name, value)) = criterion.split_once('=').filter(|(name, _)| !name.is_empty()) else {
                return Err(CliError::new(ExitCode::Usage, format!("`{criterion}` is no NAME=VALUE"))
                    .with_next_step("Give criteria such as code=8480-6 or name:exact=Doe."));
            };
            query = query.param(name, SearchValue::raw(fill(value)?));
        }
        if self.post {
            query = query.by_post();
        }
        Ok(if self.strict { query.handling(Handling::Strict) } else { query })
    }

    pub(super) async fn print(&self, fhir: &FhirClient, query: SearchQuery, output: &Output) -> Result<(), CliError> {
        let mut entries = fhir.search(query).max_pages(self.max_pages.into()).entries();
        let (mut all, mut matches, mut lines) = (Vec::<RawResource>::new(), 0_u64, Vec::new());
        while let Some(entry) = entries.try_next().await? {
            if entry.mode == SearchMode::Outcome {
                entry.outcome().iter().flat_map(issue_lines).for_each(|line| output.note(&line));
                continue;
            }
            if entry.mode == SearchMode::Match {
                if self.limit.is_some_and(|limit| matches >= limit) {
                    break;
                }
                matches += 1;
            }
            let Some(resource) = entry.raw() else { continue };
            if output.json {
                lines.push(line_of(resource));
            } else if self.table {
                all.push(resource.clone());
            } else {
                print_lines([line_of(resource)])?;
            }
        }
        if output.json {
            let members = json!({"matches": matches, "total": entries.total(), "count": lines.len()});
            return print_lines([object_with_list(&members, "resources", &lines)]);
        }
        if self.table { print_table(&all, output) } else { Ok(()) }
    }
}
