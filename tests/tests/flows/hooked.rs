//! A transport that a test stands in: it sees each request, may answer it itself, hold it, or change what the server says.

use bytes::Bytes;
use http::{Request, Response};
use smart_http::{Body, BoxFuture, ConnectFailure, Endpoint, HttpClient, HttpError, HyperTransport, Limits, Transport};

/// What a test does about a request. `None`: it goes on to the server.
type Done = Option<Result<Response<Bytes>, HttpError>>;
type Hook = Box<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Done> + Send + Sync>;

struct Hooked {
    inner: HyperTransport,
    hook: Hook,
}

impl Transport for Hooked {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        Box::pin(async move {
            match (self.hook)(request.clone()).await {
                Some(done) => done.map(|response| response.map(Body::from_bytes)),
                None => self.inner.send(request, limits).await,
            }
        })
    }
}

/// A client that asks `hook` about each request.
pub(crate) fn hooked<F>(hook: impl Fn(Request<Bytes>) -> F + Send + Sync + 'static) -> HttpClient
where
    F: Future<Output = Done> + Send + 'static,
{
    HttpClient::new(Hooked { inner: HyperTransport::new(), hook: Box::new(move |request| Box::pin(hook(request))) })
}

/// The value of a field of a form.
pub(crate) fn field(request: &Request<Bytes>, name: &str) -> Option<String> {
    url::form_urlencoded::parse(request.body()).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

pub(crate) fn is_refresh(request: &Request<Bytes>) -> bool {
    field(request, "grant_type").as_deref() == Some("refresh_token")
}

/// An answer of JSON.
pub(crate) fn json(status: u16, body: &serde_json::Value) -> Response<Bytes> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Bytes::from(body.to_string())).unwrap()
}

/// The server refuses the connection: nothing was sent.
pub(crate) fn unreachable(request: &Request<Bytes>) -> HttpError {
    let endpoint = Endpoint::of(request.uri());
    HttpError::Connect { endpoint, kind: ConnectFailure::Refused, reason: "a test's".to_owned() }
}

/// What the server says to a request, changed.
pub(crate) async fn changed(
    request: Request<Bytes>,
    change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
) -> Done {
    let response = HttpClient::new(HyperTransport::new()).fetch(request).await.unwrap();
    let mut body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    change(body.as_object_mut().unwrap());
    Some(Ok(json(response.status().as_u16(), &body)))
}
