//! Resources as they are sent and received.

use crate::{FhirError, ResourceTypeName};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use smart_core::json::texts_of_object;
use std::any::Any;
use std::fmt;

/// A resource in the very octets that came, or are to be sent.
///
/// FHIR's decimals have a precision: `1.50` says more than `1.5`. A `serde_json::Value` holds numbers as `f64` and loses
/// that, and digits beyond the seventeenth. A resource that is read as this type and written back has lost nothing.
/// Debug shows the type and the size.
#[derive(Clone, PartialEq, Eq)]
pub struct RawResource {
    octets: Bytes,
    resource_type: ResourceTypeName,
    id: Option<String>,
}

impl RawResource {
    /// Checks that the octets are one JSON object with a `resourceType`, and no member twice.
    ///
    /// # Errors
    /// [`FhirError::InvalidResource`].
    pub fn parse(octets: impl Into<Bytes>) -> Result<Self, FhirError> {
        let octets = octets.into();
        let invalid = |reason: &str| FhirError::InvalidResource { reason: reason.to_owned() };
        let [resource_type, id] = texts_of_object(&octets, ["resourceType", "id"])
            .map_err(|error| FhirError::InvalidResource { reason: error.to_string() })?;
        let resource_type = resource_type.ok_or_else(|| {
            invalid("it has no `resourceType`; let serde write one, by `#[serde(tag = \"resourceType\")]`")
        })?;
        let resource_type = ResourceTypeName::parse(&resource_type)
            .map_err(|_| invalid("its `resourceType` is no name of a resource type"))?;
        Ok(Self { octets, resource_type, id })
    }

    /// The octets.
    pub fn octets(&self) -> &Bytes {
        &self.octets
    }

    /// Its resource type, as it names itself.
    pub fn resource_type(&self) -> &ResourceTypeName {
        &self.resource_type
    }

    /// Its id, as it names itself. Not checked.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Reads it into a Rust type; `None` when it does not fit.
    pub fn to<T: FromResource>(&self) -> Option<T> {
        T::from_resource(&self.octets)
    }

    /// As JSON; decimals lose the zeros at their end.
    pub fn to_value(&self) -> Value {
        self.to().unwrap_or(Value::Null)
    }
}

impl fmt::Debug for RawResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawResource({}, {} octets)", self.resource_type, self.octets.len())
    }
}

/// What a resource can be read into: a [`RawResource`], a `serde_json::Value`, or any other type that serde can read.
pub trait FromResource: Sized {
    /// Reads the octets of one JSON object; `None` when they do not fit.
    fn from_resource(octets: &Bytes) -> Option<Self>;

    /// Whether it is made out of a `serde_json::Value` as it is, so that one reading does for all that has to be checked.
    #[doc(hidden)]
    fn from_value(value: Value) -> Result<Self, Value> {
        Err(value)
    }
}

impl<T: DeserializeOwned + 'static> FromResource for T {
    fn from_resource(octets: &Bytes) -> Option<Self> {
        // Why it does not fit is not kept: that would quote the resource.
        serde_json::from_slice(without_mark(octets)).ok()
    }

    fn from_value(value: Value) -> Result<Self, Value> {
        let mut value = Some(value);
        let same: &mut dyn Any = &mut value;
        match same.downcast_mut::<Option<T>>().and_then(Option::take) {
            Some(own) => Ok(own),
            None => Err(value.unwrap_or_default()),
        }
    }
}

impl FromResource for RawResource {
    fn from_resource(octets: &Bytes) -> Option<Self> {
        Self::parse(octets.clone()).ok()
    }
}

/// What can be sent as a resource: a [`RawResource`], a `serde_json::Value`, or any other type that serde writes as a
/// JSON object with a `resourceType`.
pub trait ToResource {
    /// Writes it.
    ///
    /// # Errors
    /// [`FhirError::InvalidResource`].
    fn to_resource(&self) -> Result<RawResource, FhirError>;
}

impl<T: Serialize + ?Sized> ToResource for T {
    fn to_resource(&self) -> Result<RawResource, FhirError> {
        let octets = serde_json::to_vec(self)
            .map_err(|_| FhirError::InvalidResource { reason: "serde cannot write it as JSON".to_owned() })?;
        RawResource::parse(octets)
    }
}

impl ToResource for RawResource {
    fn to_resource(&self) -> Result<RawResource, FhirError> {
        Ok(self.clone())
    }
}

/// Whether a type is `serde_json::Value`.
pub(crate) fn is_value<T: FromResource>() -> bool {
    T::from_value(Value::Null).is_ok()
}

/// The octets without a byte order mark.
pub(crate) fn without_mark(octets: &[u8]) -> &[u8] {
    octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "resourceType", rename = "Patient")]
    struct Patient {
        id: String,
    }

    #[derive(Serialize)]
    struct Untyped {
        id: String,
    }

    /// FR-08: any type that serde knows is a resource, if it says which.
    #[test]
    fn any_serde_type_is_a_resource() {
        let patient = Patient { id: "1".to_owned() };
        let raw = patient.to_resource().unwrap();
        assert_eq!(raw.octets(), r#"{"resourceType":"Patient","id":"1"}"#);
        assert_eq!((raw.resource_type().as_str(), raw.id()), ("Patient", Some("1")));
        assert_eq!(
            (raw.to::<Patient>(), raw.to_value()),
            (Some(patient), json!({"resourceType": "Patient", "id": "1"}))
        );
        assert_eq!(raw.to_resource().unwrap(), raw);
        let error = Untyped { id: "Smith".to_owned() }.to_resource().unwrap_err();
        assert!(error.to_string().contains("resourceType") && !format!("{error} {error:?}").contains("Smith"));
    }

    /// FR-12: what is no resource is not sent.
    #[test]
    fn other_json_is_no_resource() {
        for text in ["", "[]", "1", "{}", r#"{"resourceType":1}"#, r#"{"resourceType":"../x"}"#] {
            assert!(matches!(RawResource::parse(text), Err(FhirError::InvalidResource { .. })), "{text}");
        }
        let twice = r#"{"resourceType":"Patient","id":"1","id":"2"}"#;
        assert!(matches!(RawResource::parse(twice), Err(FhirError::InvalidResource { .. })));
    }

    /// FR-23: Debug shows no content.
    #[test]
    fn debug_shows_no_content() {
        let raw = json!({"resourceType": "Patient", "id": "smith"}).to_resource().unwrap();
        assert_eq!(format!("{raw:?}"), "RawResource(Patient, 39 octets)");
    }

    proptest! {
        /// FR-08 (FHIR R4, datatypes decimal): a decimal keeps all its digits.
        #[test]
        fn decimals_keep_their_digits(decimal in "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,20}") {
            let text = format!(r#"{{"resourceType":"Observation","valueQuantity":{{"value":{decimal}}}}}"#);
            let raw = RawResource::parse(text.clone()).unwrap();
            let again = raw.to::<RawResource>().unwrap().to_resource().unwrap();
            prop_assert_eq!(again.octets(), &text);
        }
    }
}
