//! App state: small things that apps keep at the EHR (SMART App Launch 2.2, `smart-app-state`). They lie apart from the
//! resources of the FHIR API.

mod rights;
mod routes;

pub(crate) use routes::router;

use smart_core::app_state::AppStatePlace;

/// Where the endpoint is, below the origin, unless it is the FHIR base itself.
const PATH: &str = "/app-state/fhir";

/// The path of the endpoint.
pub(crate) fn path(place: AppStatePlace, fhir: &str) -> &str {
    if place == AppStatePlace::FhirBase { fhir } else { PATH }
}
