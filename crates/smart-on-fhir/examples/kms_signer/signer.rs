//! Signing with a key that a service keeps.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode, Uri};
use smart_on_fhir::http::{HttpClient, HyperTransport, Limits};
use smart_on_fhir::jwt::{Jwk, SignatureFuture, Signer, SignerError, SigningAlgorithm, raw_ecdsa_signature};
use std::error::Error as StdError;
use std::time::Duration;

/// How long a signature may take: a signer bounds its own waiting.
const LONGEST: Duration = Duration::from_secs(5);
/// No signature is larger, in octets.
const LARGEST: u64 = 1024;

/// Signs by asking a signing service. It has the public half of the key alone.
pub(crate) struct KmsSigner {
    http: HttpClient,
    endpoint: Uri,
    authorization: HeaderValue,
    public: Jwk,
    key_id: String,
    algorithm: SigningAlgorithm,
}

impl KmsSigner {
    /// What signs at this endpoint, with this password.
    pub(crate) fn new(
        endpoint: &str,
        password: &str,
        public: Jwk,
        algorithm: SigningAlgorithm,
    ) -> Result<Self, Box<dyn StdError>> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {password}"))?;
        authorization.set_sensitive(true);
        Ok(Self {
            http: HttpClient::new(HyperTransport::new())
                .with_limits(Limits::default().with_total(LONGEST).with_max_body(LARGEST)),
            endpoint: endpoint.parse()?,
            authorization,
            key_id: public.kid().ok_or("the key has no id")?.to_owned(),
            public,
            algorithm,
        })
    }

    async fn ask(&self, input: &[u8]) -> Result<Vec<u8>, SignerError> {
        let mut request = Request::new(Bytes::copy_from_slice(input));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        request.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
        let answer = self.http.fetch(request).await;
        let response = answer.map_err(|error| SignerError::Unavailable { reason: error.to_string() })?;
        match response.status() {
            // Services give ECDSA signatures in DER; tokens have them in the raw form.
            StatusCode::OK => Ok(raw_ecdsa_signature(self.algorithm, response.body())?),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(SignerError::Unavailable { reason: format!("it answered with {status}") })
            }
            status => Err(SignerError::Refused { reason: format!("it answered with {status}") }),
        }
    }
}

impl Signer for KmsSigner {
    fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    fn key_id(&self) -> &str {
        &self.key_id
    }

    fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    fn sign<'a>(&'a self, input: &'a [u8]) -> SignatureFuture<'a> {
        Box::pin(self.ask(input))
    }
}
