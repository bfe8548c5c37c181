//! What an event carries for those sinks alone that are told to show it.

/// A value that neither `Debug` nor serde shows: the id of a patient or resource, the values of a search.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden<T>(T);

impl<T> Hidden<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// The value. Only the export to FHIR asks for it, and only where the app has opted in.
    pub(crate) fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> std::fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
