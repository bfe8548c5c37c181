//! `smart get`: reads from the FHIR server with the stored session.

use crate::access::Access;
use crate::api::{FhirClient, FhirError};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::output::{Output, print_json, print_json_line};
use clap::Args;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Read a resource or search, with a stored session
///
/// The access token is renewed when it has to be. The JSON of the answer is printed as it came; with --all the
/// resources of all pages, one a line.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// What to read, such as Patient/123 or 'Observation?patient={patient}'; {patient} is the patient of the login
    path: String,

    /// Follow the links to the next pages, and print each resource on a line (NDJSON)
    #[arg(long)]
    all: bool,

    /// With --all: give up after this many pages
    #[arg(long, value_name = "PAGES", default_value_t = 1000)]
    max_pages: u32,

    #[command(flatten)]
    access: Access,
}

impl Get {
    /// Reads and prints.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let opened = self.access.open().await?;
        let path = opened.with_patient(self.path.trim_start_matches('/'))?;
        let fhir = opened.fhir();
        let read = if self.all { self.pages(&fhir, &path, output).await } else { one(&fhir, &path, output).await };
        read.map_err(|error| opened.at_its_server(error))
    }

    /// Prints the resources of a result, page by page.
    async fn pages(&self, fhir: &FhirClient, path: &str, output: &Output) -> Result<(), CliError> {
        let mut pages = Pages { fhir, next: Some(path.to_owned()), seen: HashSet::new(), limit: self.max_pages };
        let mut all = Vec::new();
        let mut count = 0;
        while let Some(page) = pages.next_page().await? {
            count += 1;
            for resource in resources(page) {
                if output.json {
                    all.push(resource);
                } else {
                    print_json_line(&resource)?;
                }
            }
        }
        if output.json {
            print_json(&json!({"pages": count, "count": all.len(), "resources": all}))?;
        }
        Ok(())
    }
}

async fn one(fhir: &FhirClient, path: &str, output: &Output) -> Result<(), CliError> {
    let resource = fhir.get(path).await?;
    if output.json { print_json_line(&resource) } else { print_json(&resource) }
}

/// The pages of a result.
struct Pages<'a> {
    fhir: &'a FhirClient,
    next: Option<String>,
    seen: HashSet<String>,
    limit: u32,
}

impl Pages<'_> {
    async fn next_page(&mut self) -> Result<Option<Value>, CliError> {
        let Some(path) = self.next.take() else { return Ok(None) };
        let failed = |message: String| CliError::new(ExitCode::FhirError, message).at(self.fhir.base().to_string());
        if self.seen.len() >= usize::try_from(self.limit).unwrap_or(usize::MAX) {
            return Err(failed(format!("there are more than {} pages; the result is incomplete", self.limit))
                .with_next_step("Narrow the search, or raise --max-pages."));
        }
        if !self.seen.insert(path.clone()) {
            return Err(failed("the pages go round in a loop; the result is incomplete".to_owned())
                .with_next_step("Tell the server's operator."));
        }
        let page = self.fhir.get(&path).await.map_err(|error| match error {
            // The person's own path may be wrong; a link of the server's is not their doing.
            FhirError::OutsideBase { endpoint, .. } if self.seen.len() > 1 => {
                failed(format!("the next page lies at {endpoint}, not below the FHIR base; the result is incomplete"))
                    .with_next_step("Tell the server's operator.")
            }
            other => other.into(),
        })?;
        self.next = next_link(&page).map(|link| resolved(&path, link));
        Ok(Some(page))
    }
}

/// Where the next page is.
fn next_link(page: &Value) -> Option<&str> {
    let links = page.get("link")?.as_array()?;
    let next = links.iter().find(|link| link.get("relation").and_then(Value::as_str) == Some("next"))?;
    next.get("url")?.as_str()
}

/// The link as a path or URL: one of a query alone is meant from the page that has it.
fn resolved(page: &str, link: &str) -> String {
    let page = page.split('?').next().unwrap_or(page);
    if link.starts_with('?') { format!("{page}{link}") } else { link.to_owned() }
}

/// The resources of a page; what is no bundle stands for itself.
fn resources(mut page: Value) -> Vec<Value> {
    if page.get("resourceType").and_then(Value::as_str) != Some("Bundle") {
        return vec![page];
    }
    let entries = page.get_mut("entry").map(Value::take);
    let Some(Value::Array(entries)) = entries else { return Vec::new() };
    entries.into_iter().filter_map(|mut entry| entry.get_mut("resource").map(Value::take)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FR-05 (FHIR R4, http.html#paging): the next link is followed as it is, other links are not.
    #[test]
    fn only_the_next_link_is_followed() {
        let page = json!({"link": [{"relation": "self", "url": "a"}, {"relation": "next", "url": "https://x/y?p=2"}]});
        assert_eq!(next_link(&page).unwrap(), "https://x/y?p=2");
        assert_eq!(next_link(&json!({"link": [{"relation": "self", "url": "a"}]})), None);
        assert_eq!(next_link(&json!({})), None);
        assert_eq!(resolved("Observation?patient=1", "?page=2"), "Observation?page=2");
        assert_eq!(resolved("Observation?patient=1", "https://x/y?p=2"), "https://x/y?p=2");
    }

    /// A bundle gives its resources, a resource itself; entries without a resource give nothing.
    #[test]
    fn pages_give_their_resources() {
        let bundle = json!({"resourceType": "Bundle", "entry": [{"resource": {"id": "1"}}, {"fullUrl": "x"}, {"resource": {"id": "2"}}]});
        assert_eq!(resources(bundle), [json!({"id": "1"}), json!({"id": "2"})]);
        assert!(resources(json!({"resourceType": "Bundle"})).is_empty());
        assert_eq!(resources(json!({"resourceType": "Patient"})).len(), 1);
    }
}
