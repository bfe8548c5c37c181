//! The Bundle that answers a search.

use super::include::{MAX_INCLUDED, included};
use super::{Found, Query, World};
use crate::fhir::answer::outcome;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::form_urlencoded;

/// A page of a search, as its link has it: opaque to clients, it holds the search that it continues.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The path below the base, such as `Observation`.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) offset: usize,
}

impl Page {
    /// Reads the parameters of a page link. `None`: they are of another request.
    pub(crate) fn parse(pairs: &[(String, String)]) -> Option<Self> {
        let value = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(value("_getpages")?).ok()?).ok()?;
        let (path, query) = text.split_once('?')?;
        Some(Self {
            path: path.to_owned(),
            query: crate::fhir::request::pairs(query),
            offset: value("_offset")?.parse().ok()?,
        })
    }

    fn url(&self, root: &str) -> String {
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        let pages = URL_SAFE_NO_PAD.encode(format!("{}?{query}", self.path));
        format!("{root}?_getpages={pages}&_offset={}", self.offset)
    }
}

/// The link to the page of a search or history that begins at `offset`.
pub(crate) fn page_url(root: &str, path: String, query: Vec<(String, String)>, offset: usize) -> String {
    Page { path, query, offset }.url(root)
}

/// The page of these matches that begins at `offset`. `path` is where the search is, below the base.
pub(crate) fn searchset(world: World<'_>, query: &Query, path: &str, found: &[Found<'_>], offset: usize) -> Value {
    let root = world.root;
    let text: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&query.used).finish();
    let below = if path.is_empty() { String::new() } else { format!("/{path}") };
    let mut links = vec![json!({"relation": "self", "url": format!("{root}{below}?{text}")})];
    let count = query.count.unwrap_or(0);
    let mut link = |relation: &str, offset: usize| {
        let page = Page { path: path.to_owned(), query: query.used.clone(), offset };
        links.push(json!({"relation": relation, "url": page.url(root)}));
    };
    if count > 0 && offset.saturating_add(count) < found.len() {
        link("next", offset + count);
    }
    if count > 0 && offset > 0 {
        link("previous", offset.saturating_sub(count));
    }
    let matches: Vec<_> = found.iter().skip(offset).take(count).copied().collect();
    let (along, is_cut) = included(world, &query.includes, &matches);
    let entry = |it: &Found<'_>, mode: &str| {
        let url = format!("{root}/{}", it.reference());
        json!({"fullUrl": url, "resource": query.shape.of(it), "search": {"mode": mode}})
    };
    let mut entries: Vec<Value> = matches.iter().map(|it| entry(it, "match")).collect();
    entries.extend(along.iter().map(|it| entry(it, "include")));
    let mut remarks: Vec<String> = query.ignored.iter().map(|reason| format!("{reason}: it was ignored")).collect();
    if is_cut {
        remarks
            .push(format!("more than {MAX_INCLUDED} resources would come along with this page: the rest is left out"));
    }
    for remark in remarks {
        entries.push(json!({"resource": outcome("warning", "not-supported", &remark), "search": {"mode": "outcome"}}));
    }
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": found.len(), "link": links});
    if !entries.is_empty()
        && let Some(members) = bundle.as_object_mut()
    {
        members.insert("entry".to_owned(), entries.into());
    }
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FHIR R4, http, paging: a page link leads to the same search, further on; any other text leads nowhere.
    #[test]
    fn page_links_are_read_again() {
        let query = vec![("code".to_owned(), "a|b&c".to_owned()), ("_count".to_owned(), "3".to_owned())];
        let page = Page { path: "Observation".to_owned(), query, offset: 6 };
        let url = url::Url::parse(&page.url("http://h/fhir")).unwrap();
        let pairs = crate::fhir::request::pairs(url.query().unwrap());
        assert_eq!(Page::parse(&pairs), Some(page));
        for text in ["_getpages=x", "_getpages=QQ&_offset=1", "_offset=1", "_getpages=QT8&_offset=-1"] {
            assert_eq!(Page::parse(&crate::fhir::request::pairs(text)), None, "{text}");
        }
    }
}
