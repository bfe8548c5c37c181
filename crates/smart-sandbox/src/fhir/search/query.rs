//! The parameters of a search, read.

use super::filter::Filter;
use super::include::Include;
use super::order::{Order, sort};
use super::parameter::{common, parameter};
use super::shape::Shape;
use super::{Found, World};
use crate::fhir::access::Grant;
use crate::fhir::answer::Fault;
use smart_core::untrusted::shown;

const DEFAULT_COUNT: usize = 20;
const MAX_COUNT: usize = 200;
/// A search has no more parameters.
const MAX_PARAMETERS: usize = 100;

/// A search.
#[derive(Debug)]
pub(crate) struct Query {
    filters: Vec<Filter>,
    orders: Vec<Order>,
    pub(super) includes: Vec<Include>,
    pub(super) shape: Shape,
    /// How many matches a page has. `None`: only their number is asked for.
    pub(super) count: Option<usize>,
    /// The parameters that were regarded, as they came.
    pub(super) used: Vec<(String, String)>,
    /// What was passed over.
    pub(super) ignored: Vec<String>,
}

impl Query {
    /// Reads a search for one type, or for all of them.
    ///
    /// # Errors
    /// 400 for what makes no sense, and where `strict` for what is not known; 403 for a chain that the token does not open.
    pub(crate) fn parse(
        world: World<'_>,
        resource_type: Option<&str>,
        pairs: &[(String, String)],
        strict: bool,
    ) -> Result<Self, Fault> {
        let mut it = Self {
            filters: Vec::new(),
            orders: Vec::new(),
            includes: Vec::new(),
            shape: Shape::Whole,
            count: Some(DEFAULT_COUNT),
            used: Vec::new(),
            ignored: Vec::new(),
        };
        if pairs.len() > MAX_PARAMETERS {
            return Err(Fault::bad(format!("a search has at most {MAX_PARAMETERS} parameters")));
        }
        for (name, value) in pairs {
            if it.take(world, resource_type, name, value)? {
                it.used.push((name.clone(), value.clone()));
            } else {
                let what = if matches!(name.as_str(), "_summary" | "_include" | "_revinclude" | "_sort" | "_total") {
                    format!("{name}={}", shown(value, 60))
                } else {
                    format!("the search parameter {}", shown(name, 60))
                };
                let reason = format!("{what} is not supported for {}", resource_type.unwrap_or("all types"));
                if strict {
                    return Err(Fault::not_supported(reason));
                }
                it.ignored.push(reason);
            }
        }
        Ok(it)
    }

    /// Whether a parameter is one that is served.
    fn take(&mut self, world: World<'_>, resource_type: Option<&str>, name: &str, value: &str) -> Result<bool, Fault> {
        match name {
            "_format" | "_pretty" | "_type" => {}
            "_total" => return Ok(matches!(value, "none" | "estimate" | "accurate")),
            "_count" => match value.parse::<usize>() {
                Ok(0) => self.count = None,
                Ok(asked) => self.count = Some(asked.min(MAX_COUNT)),
                Err(_) => return Err(Fault::bad("_count is no number")),
            },
            "_summary" if value == "count" => self.count = None,
            "_summary" | "_elements" => match Shape::parse(name, value) {
                Some(shape) => self.shape = shape,
                None => return Ok(false),
            },
            "_sort" => {
                for name in value.split(',') {
                    let (name, descending) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
                    let found = resource_type.map_or_else(|| common(name), |of| parameter(of, name));
                    let Some(parameter) = found else { return Ok(false) };
                    self.orders.push(Order { parameter, descending });
                }
            }
            "_include" | "_revinclude" => match Include::parse(name, value) {
                Some(include) => self.includes.push(include),
                None => return Ok(false),
            },
            _ if name.starts_with("_include:") || name.starts_with("_revinclude:") => return Ok(false),
            _ => match Filter::parse(world, resource_type, name, value)? {
                Some(filter) => self.filters.push(filter),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// Whether it asks for anything: a conditional interaction has to.
    pub(crate) fn is_selective(&self) -> bool {
        !self.filters.is_empty()
    }

    /// The resources of these types that the token opens and that match, in their order.
    pub(crate) fn matches<'a>(&self, world: World<'a>, types: &[&str], grant: &Grant<'_>) -> Vec<Found<'a>> {
        let all = types.iter().flat_map(|resource_type| world.resources.all(resource_type));
        // What the token does not open is not even compared: nothing about it may be told by the time that takes.
        let mut found: Vec<_> =
            all.filter(|it| grant.opens(it) && self.filters.iter().all(|filter| filter.matches(it))).collect();
        sort(&mut found, &self.orders);
        found
    }
}
