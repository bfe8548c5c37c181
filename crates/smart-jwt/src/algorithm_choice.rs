//! Which algorithm a client signs its assertions with.

use crate::algorithm::SigningAlgorithm;
use crate::client_assertion::ClientAssertionError;
use smart_core::untrusted::shown;

/// Every SMART server accepts at least one of these (SMART, client authentication: asymmetric).
const OF_SMART: [SigningAlgorithm; 2] = [SigningAlgorithm::Es384, SigningAlgorithm::Rs384];

/// The first of the client's algorithms that the server accepts. `listed` is what the server publishes as
/// `token_endpoint_auth_signing_alg_values_supported`; without it, RS384 and ES384 are taken as accepted. `own` is in
/// order of preference.
///
/// # Errors
/// [`ClientAssertionError::NoCommonAlgorithm`]: a matter of configuration, not to be retried.
pub fn choose_assertion_algorithm<S: AsRef<str>>(
    listed: Option<&[S]>,
    own: &[SigningAlgorithm],
) -> Result<SigningAlgorithm, ClientAssertionError> {
    let accepted = |algorithm: SigningAlgorithm| match listed {
        Some(names) => names.iter().any(|name| name.as_ref() == algorithm.as_str()),
        None => OF_SMART.contains(&algorithm),
    };
    own.iter().copied().find(|algorithm| accepted(*algorithm)).ok_or_else(|| ClientAssertionError::NoCommonAlgorithm {
        server: match listed {
            Some(names) => shown(&joined(names.iter().map(AsRef::as_ref)), 200),
            None => joined(OF_SMART.iter().map(|algorithm| algorithm.as_str())),
        },
        own: joined(own.iter().map(|algorithm| algorithm.as_str())),
    })
}

fn joined<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
