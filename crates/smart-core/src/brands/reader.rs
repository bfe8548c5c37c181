//! Reading a bundle of brands.

use super::brand::{Brand, BrandAddress, BrandCategory};
use super::brand_endpoint::BrandEndpoint;
use super::bundle::BrandBundle;
use super::error::BrandError;
use super::logo::Logo;
use super::portal::Portal;
use super::references::References;
use super::stated::{AbsentReason, Stated, absent_reason};
use super::{ENDPOINT_FHIR_VERSION, ORGANIZATION_BRAND, ORGANIZATION_PORTAL};
use crate::context::is_fhir_id;
use crate::discovery::BrandIdentifier;
use crate::fhir_base::FhirBaseUrl;
use crate::fhir_json::{extensions, is_resource, items, text};
use crate::json::parse_object;
use crate::leniency::Leniency;
use crate::token::endpoint_shown;
use crate::url_policy::UrlPolicy;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;
use url::Url;

impl BrandBundle {
    /// Reads a bundle out of its JSON text. `url`, where it came from, stands in errors. What cannot be used is left out
    /// and noted; resources of other types are passed over.
    ///
    /// # Errors
    /// [`BrandError::Json`] or [`BrandError::NotABundle`].
    pub fn parse(url: &Url, body: &[u8], policy: UrlPolicy) -> Result<Self, BrandError> {
        let object = parse_object(body).map_err(|reason| BrandError::Json { url: endpoint_shown(url), reason })?;
        let value = Value::Object(object);
        if !is_resource(&value, "Bundle") {
            return Err(BrandError::NotABundle { url: endpoint_shown(url) });
        }
        let mut bundle = Self {
            timestamp: text(&value, "timestamp").map(str::to_owned),
            last_updated: value.get("meta").and_then(|meta| text(meta, "lastUpdated")).map(str::to_owned),
            ..Self::default()
        };
        if text(&value, "type") != Some("collection") {
            bundle.note(Leniency::BrandBundleType, None);
        }
        Ok(Reader { bundle, policy, endpoints: References::new("Endpoint") }.read(items(&value, "entry")))
    }
}

struct Reader {
    bundle: BrandBundle,
    policy: UrlPolicy,
    endpoints: References,
}

/// An entry with what its resource can be referred to.
struct Entry<'v> {
    at: usize,
    resource: &'v Value,
    full_url: Option<&'v str>,
    id: Option<&'v str>,
}

impl Reader {
    fn read(mut self, entries: &[Value]) -> BrandBundle {
        let entries = self.entries(entries);
        for entry in entries.iter().filter(|entry| is_resource(entry.resource, "Endpoint")) {
            match self.endpoint(entry) {
                Some(endpoint) => {
                    self.endpoints.add(self.bundle.endpoints.len(), entry.full_url, entry.id);
                    self.bundle.endpoints.push(Arc::new(endpoint));
                }
                None => self.bundle.note(Leniency::BrandEndpointUnusable, Some(entry.at)),
            }
        }
        let organizations: Vec<_> =
            entries.iter().filter(|entry| is_resource(entry.resource, "Organization")).collect();
        let mut references = References::new("Organization");
        let mut brands = Vec::with_capacity(organizations.len());
        for entry in &organizations {
            references.add(brands.len(), entry.full_url, entry.id);
            let brand = self.brand(entry);
            brands.push(Arc::new(brand));
        }
        for (index, entry) in organizations.iter().enumerate() {
            let parent = self.parent(entry, index, &references, &organizations, &brands);
            let Some(brand) = brands.get(index) else { continue };
            self.bundle.brands.push(match parent {
                Some(parent) => Arc::new(Brand { parent: Some(parent), ..Brand::clone(brand) }),
                None => brand.clone(),
            });
        }
        self.bundle
    }

    fn entries<'v>(&mut self, entries: &'v [Value]) -> Vec<Entry<'v>> {
        let (mut read, mut seen) = (Vec::with_capacity(entries.len()), HashSet::new());
        for (at, entry) in entries.iter().enumerate() {
            let full_url = text(entry, "fullUrl").filter(|url| Url::parse(url).is_ok());
            let Some(resource) = entry.get("resource").filter(|resource| text(resource, "resourceType").is_some())
            else {
                self.bundle.note(Leniency::BrandEntryUnreadable, Some(at));
                continue;
            };
            // The same resource twice (FHIR R4, bundle, bdl-7): which one counts nobody can say, so the first does.
            if full_url.is_some_and(|url| !seen.insert(url)) {
                self.bundle.note(Leniency::BrandEntryUnreadable, Some(at));
                continue;
            }
            read.push(Entry { at, resource, full_url, id: text(resource, "id").filter(|id| is_fhir_id(id)) });
        }
        read
    }

    fn endpoint(&mut self, entry: &Entry<'_>) -> Option<BrandEndpoint> {
        let resource = entry.resource;
        let kinds = connection_types(resource);
        if !kinds.is_empty() && !kinds.contains(&"hl7-fhir-rest") {
            return None;
        }
        let address = FhirBaseUrl::parse_with(text(resource, "address")?, self.policy).ok()?;
        let versions = extensions(resource, ENDPOINT_FHIR_VERSION).filter_map(|version| text(version, "valueCode"));
        let fhir_versions = versions.map(str::to_owned).collect();
        let pages = items(resource, "contact").iter().filter(|contact| text(contact, "system") == Some("url"));
        let pages: Vec<_> = pages.filter_map(|contact| text(contact, "value")).collect();
        Some(BrandEndpoint {
            id: entry.id.map(str::to_owned),
            full_url: entry.full_url.map(str::to_owned),
            address,
            fhir_versions,
            name: text(resource, "name").map(str::to_owned),
            status: text(resource, "status").map(str::to_owned),
            developer_pages: self.pages(pages, entry.at),
        })
    }

    fn brand(&mut self, entry: &Entry<'_>) -> Brand {
        let (resource, at) = (entry.resource, entry.at);
        let mut brand = Brand {
            id: entry.id.map(str::to_owned),
            full_url: entry.full_url.map(str::to_owned),
            identifiers: items(resource, "identifier").iter().filter_map(identifier).collect(),
            name: self.stated(resource, &["name"], at, |name| Some(name.to_owned())),
            aliases: texts(resource, "alias"),
            website: self.website(resource, at),
            active: resource.get("active").and_then(Value::as_bool),
            categories: items(resource, "type")
                .iter()
                .flat_map(|kind| items(kind, "coding"))
                .filter_map(category)
                .collect(),
            addresses: items(resource, "address").iter().filter_map(address).collect(),
            ..Brand::default()
        };
        if brand.name == Stated::Missing {
            self.bundle.note(Leniency::BrandNameMissing, Some(at));
        }
        for extension in extensions(resource, ORGANIZATION_BRAND) {
            brand.logos.extend(self.logos(extension, "brandLogo", at));
            brand.logo_licenses.extend(self.pages(urls(extension, "brandLogoLicense"), at));
            for url in urls(extension, "brandBundle") {
                match self.policy.parse(url) {
                    Ok(url) => brand.brand_bundles.push(url),
                    Err(_) => self.bundle.note(Leniency::BrandUrlUnusable, Some(at)),
                }
            }
        }
        for extension in extensions(resource, ORGANIZATION_PORTAL) {
            let portal = self.portal(extension, entry);
            brand.portals.push(portal);
        }
        let references = items(resource, "endpoint").iter().map(|reference| text(reference, "reference"));
        brand.endpoints = self.resolved(references.collect(), entry);
        brand
    }

    fn portal(&mut self, extension: &Value, entry: &Entry<'_>) -> Portal {
        let at = entry.at;
        // The extension's first versions named two parts otherwise.
        let mut first = |name: &str, old_name: Option<&str>| {
            let part = extensions(extension, name).next();
            let old = || {
                let part = extensions(extension, old_name?).next()?;
                self.bundle.note(Leniency::BrandPortalOldNames, Some(at));
                Some(part)
            };
            part.or_else(old).cloned().unwrap_or_default()
        };
        let name = first("portalName", None);
        let description = first("portalDescription", Some("description"));
        let url = first("portalUrl", Some("url"));
        let references =
            extensions(extension, "portalEndpoint").map(|part| text(part.get("valueReference")?, "reference"));
        let references = references.collect();
        Portal {
            name: self.stated(&name, &["valueString"], at, |name| Some(name.to_owned())),
            description: ["valueMarkdown", "valueString"].iter().find_map(|n| text(&description, n)).map(str::to_owned),
            url: self.stated(&url, &["valueUrl", "valueUri"], at, page),
            logos: self.logos(extension, "portalLogo", at),
            logo_licenses: self.pages(urls(extension, "portalLogoLicense"), at),
            endpoints: self.resolved(references, entry),
        }
    }

    /// The brand that an entry belongs to. It comes without a parent of its own.
    fn parent(
        &mut self,
        entry: &Entry<'_>,
        index: usize,
        references: &References,
        organizations: &[&Entry<'_>],
        brands: &[Arc<Brand>],
    ) -> Option<Arc<Brand>> {
        let reference = text(entry.resource.get("partOf")?, "reference");
        let found = reference.and_then(|reference| references.find(reference, entry.full_url));
        let Some(parent) = found.filter(|found| *found != index) else {
            self.bundle.note(Leniency::BrandReferenceUnresolved, Some(entry.at));
            return None;
        };
        if organizations.get(parent).is_some_and(|parent| parent.resource.get("partOf").is_some()) {
            self.bundle.note(Leniency::BrandParentDepth, Some(entry.at));
        }
        brands.get(parent).cloned()
    }

    fn resolved(&mut self, references: Vec<Option<&str>>, entry: &Entry<'_>) -> Vec<Arc<BrandEndpoint>> {
        let mut found = Vec::new();
        for reference in references {
            let index = reference.and_then(|reference| self.endpoints.find(reference, entry.full_url));
            match index.and_then(|index| self.bundle.endpoints.get(index)) {
                Some(endpoint) => found.push(endpoint.clone()),
                None => self.bundle.note(Leniency::BrandReferenceUnresolved, Some(entry.at)),
            }
        }
        found
    }

    fn website(&mut self, resource: &Value, at: usize) -> Stated<Url> {
        let telecoms = items(resource, "telecom");
        let by_system = telecoms.iter().find(|telecom| text(telecom, "system") == Some("url"));
        // One that is absent may have no system either.
        let telecom = by_system.or_else(|| telecoms.iter().find(|telecom| text(telecom, "system").is_none()));
        telecom.map_or(Stated::Missing, |telecom| self.stated(telecom, &["value"], at, page))
    }

    /// A member under one of its names, read; or the reason why it is not there.
    fn stated<T>(
        &mut self,
        element: &Value,
        members: &[&str],
        at: usize,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Stated<T> {
        if let Some(given) = members.iter().find_map(|member| text(element, member)) {
            let value = read(given);
            if value.is_none() {
                self.bundle.note(Leniency::BrandUrlUnusable, Some(at));
            }
            return value.map_or(Stated::Missing, Stated::Value);
        }
        match members.iter().find_map(|member| absent_reason(element, member)) {
            Some(reason) => {
                if matches!(reason, AbsentReason::Other(_)) {
                    self.bundle.note(Leniency::BrandAbsentReason, Some(at));
                }
                Stated::Absent(reason)
            }
            None => Stated::Missing,
        }
    }

    fn logos(&mut self, extension: &Value, part: &str, at: usize) -> Vec<Logo> {
        self.usable(urls(extension, part), at, Logo::parse)
    }

    fn pages(&mut self, texts: Vec<&str>, at: usize) -> Vec<Url> {
        self.usable(texts, at, page)
    }

    fn usable<T>(&mut self, texts: Vec<&str>, at: usize, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let mut found = Vec::new();
        for text in texts {
            match read(text) {
                Some(value) => found.push(value),
                None => self.bundle.note(Leniency::BrandUrlUnusable, Some(at)),
            }
        }
        found
    }
}

/// The URLs of a complex extension's parts with this name.
fn urls<'v>(extension: &'v Value, part: &'v str) -> Vec<&'v str> {
    extensions(extension, part).filter_map(|part| text(part, "valueUrl").or_else(|| text(part, "valueUri"))).collect()
}

/// A page for people: it carries no secret, so plain http is let through.
fn page(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_page = matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none();
    is_page.then_some(url)
}

/// The codes of `connectionType`: one coding in R4, a list of concepts in R5.
fn connection_types(resource: &Value) -> Vec<&str> {
    match resource.get("connectionType") {
        Some(Value::Array(concepts)) => {
            concepts.iter().flat_map(|concept| items(concept, "coding")).filter_map(|c| text(c, "code")).collect()
        }
        Some(coding) => text(coding, "code").into_iter().collect(),
        None => Vec::new(),
    }
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    items(value, name).iter().filter_map(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

fn identifier(value: &Value) -> Option<BrandIdentifier> {
    let system = text(value, "system").map(str::to_owned);
    Some(BrandIdentifier { system, value: text(value, "value")?.to_owned() })
}

fn category(coding: &Value) -> Option<BrandCategory> {
    Some(BrandCategory {
        system: text(coding, "system").map(str::to_owned),
        code: text(coding, "code")?.to_owned(),
        display: text(coding, "display").map(str::to_owned),
    })
}

fn address(value: &Value) -> Option<BrandAddress> {
    let member = |name: &str| text(value, name).map(str::to_owned);
    let address = BrandAddress {
        line: texts(value, "line"),
        city: member("city"),
        state: member("state"),
        postal_code: member("postalCode"),
        country: member("country"),
    };
    (address != BrandAddress::default()).then_some(address)
}
