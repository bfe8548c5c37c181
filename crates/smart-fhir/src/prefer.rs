//! What a request would like of the server's answer.

use http::{HeaderMap, HeaderName, HeaderValue};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// What a write gives back (`Prefer: return=..`; FHIR R4, http.html#ops). The server may do otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Return {
    /// Nothing but the headers.
    Minimal,
    /// The resource as it is stored.
    Representation,
    /// What the server has to say about it.
    OperationOutcome,
}

impl Return {
    pub(crate) fn put(self, headers: &mut HeaderMap) {
        let value = match self {
            Self::Minimal => "return=minimal",
            Self::Representation => "return=representation",
            Self::OperationOutcome => "return=OperationOutcome",
        };
        headers.append(PREFER, HeaderValue::from_static(value));
    }
}

/// What the server does with what it does not know (`Prefer: handling=..`; FHIR R4, search.html#errors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handling {
    /// Refuse the request. A search whose parameter was passed over would find too much.
    Strict,
    /// Pass over it.
    Lenient,
}

impl Handling {
    pub(crate) fn put(self, headers: &mut HeaderMap) {
        let value = match self {
            Self::Strict => "handling=strict",
            Self::Lenient => "handling=lenient",
        };
        headers.append(PREFER, HeaderValue::from_static(value));
    }
}

/// Which part of a resource is given (`_summary`; FHIR R4, search.html#summary).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Summary {
    /// The elements that the specification marks as summary.
    True,
    /// The narrative, id and meta.
    Text,
    /// All but the narrative.
    Data,
    /// The number of matches, without any.
    Count,
    /// All.
    False,
}

impl Summary {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::Text => "text",
            Self::Data => "data",
            Self::Count => "count",
            Self::False => "false",
        }
    }
}
