//! Files in an object store: Amazon S3 and what is compatible, Google Cloud Storage, Azure Blob Storage.

use super::super::BulkError;
use super::destination::Destination;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{
    HttpClient as StoreClient, HttpConnector, HttpError as StoreError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{ClientOptions, MultipartUpload, ObjectStore, ObjectStoreExt as _, ObjectStoreScheme, PutPayload};
use smart_http::{HttpClient, HttpError, HyperTransport, Limits, Phase};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The size of a part of an upload. Stores take 10,000 parts of one object.
const PART: usize = 8 * 1024 * 1024;

/// A place in an object store.
#[derive(Clone)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    url: Arc<str>,
}

impl Objects {
    /// The place that a URL names, with the settings of the environment.
    pub(super) fn at(url: &Url) -> Result<Self, String> {
        // Errors of the store's library name settings and URLs, never the values of secrets.
        let told = |error: object_store::Error| error.to_string();
        let other = || "it is neither s3, gs nor az, with a bucket and a path".to_owned();
        let mut place = url.clone();
        // Keys do not belong there; they are in the environment.
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err("keys do not belong in the URL; they are read from the environment".to_owned());
        }
        place.set_fragment(None);
        let (scheme, path) = ObjectStoreScheme::parse(&place).map_err(|_| other())?;
        let store: Arc<dyn ObjectStore> = match scheme {
            ObjectStoreScheme::AmazonS3 => {
                let builder = AmazonS3Builder::from_env().with_url(place.as_str()).with_http_connector(Connector);
                Arc::new(builder.build().map_err(told)?)
            }
            ObjectStoreScheme::GoogleCloudStorage => {
                let builder =
                    GoogleCloudStorageBuilder::from_env().with_url(place.as_str()).with_http_connector(Connector);
                Arc::new(builder.build().map_err(told)?)
            }
            ObjectStoreScheme::MicrosoftAzure => {
                let builder = MicrosoftAzureBuilder::from_env().with_url(place.as_str()).with_http_connector(Connector);
                Arc::new(builder.build().map_err(told)?)
            }
            _ => return Err(other()),
        };
        Ok(Self { store, prefix: path, url: url.as_str().into() })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn path(&self, name: &str) -> Path {
        self.prefix.clone().join(name)
    }

    fn failed(&self, error: &object_store::Error) -> BulkError {
        let place = Destination(super::destination::Place::Objects(self.clone())).to_string();
        BulkError::Destination { place, reason: error.to_string() }
    }

    /// Begins an object, which appears once it is whole.
    pub(super) fn begin(&self, name: &str) -> Upload {
        Upload { objects: self.clone(), path: self.path(name), begun: None, buffer: BytesMut::new() }
    }

    /// Writes a small object.
    pub(super) async fn write_whole(&self, name: &str, text: Vec<u8>) -> Result<(), BulkError> {
        let put = self.store.put(&self.path(name), PutPayload::from(text)).await;
        put.map(drop).map_err(|error| self.failed(&error))
    }

    /// Whether an object is there with this size.
    pub(super) async fn is_there(&self, name: &str, octets: u64) -> Result<bool, BulkError> {
        match self.store.head(&self.path(name)).await {
            Ok(found) => Ok(found.size == octets),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed(&error)),
        }
    }
}

/// An object that is being written.
pub(super) struct Upload {
    objects: Objects,
    path: Path,
    begun: Option<Box<dyn MultipartUpload>>,
    pub(super) buffer: BytesMut,
}

impl Upload {
    /// Sends the parts that are full.
    pub(super) async fn flush(&mut self) -> Result<(), BulkError> {
        while self.buffer.len() >= PART {
            let part = self.buffer.split_to(PART).freeze();
            self.send(part).await?;
        }
        Ok(())
    }

    async fn send(&mut self, part: Bytes) -> Result<(), BulkError> {
        let failed = |error: object_store::Error| self.objects.failed(&error);
        let mut upload = match self.begun.take() {
            Some(upload) => upload,
            None => self.objects.store.put_multipart(&self.path).await.map_err(failed)?,
        };
        let sent = upload.put_part(PutPayload::from_bytes(part)).await;
        self.begun = Some(upload);
        sent.map_err(|error| self.objects.failed(&error))
    }

    /// Makes the object appear.
    pub(super) async fn complete(mut self) -> Result<(), BulkError> {
        let rest = self.buffer.split().freeze();
        if self.begun.is_none() {
            let put = self.objects.store.put(&self.path, PutPayload::from_bytes(rest)).await;
            return put.map(drop).map_err(|error| self.objects.failed(&error));
        }
        if !rest.is_empty() {
            self.send(rest).await?;
        }
        match self.begun.take() {
            Some(mut upload) => upload.complete().await.map(drop).map_err(|error| self.objects.failed(&error)),
            None => Ok(()),
        }
    }

    /// Takes back what was sent, where the store still can.
    pub(super) async fn abort(mut self) {
        if let Some(mut upload) = self.begun.take()
            && let Err(error) = upload.abort().await
        {
            tracing::debug!(%error, "an upload could not be taken back");
        }
    }
}

/// Requests to object stores go over the same transport as all others: verified TLS, plain http on loopback hosts only.
#[derive(Debug)]
struct Connector;

#[derive(Debug)]
struct Service(HttpClient);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<StoreClient> {
        // A part has to be sent within the time until the answer begins.
        let long = Duration::from_mins(5);
        let limits = Limits { headers: long, total: long, ..Limits::default() };
        Ok(StoreClient::new(Service(HttpClient::new(HyperTransport::new()).with_limits(limits))))
    }
}

impl HttpService for Service {
    fn call<'life0, 'async_trait>(
        &'life0 self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, StoreError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let response = self.0.fetch(http::Request::from_parts(head, body)).await.map_err(failure)?;
            Ok(response.map(Into::into))
        })
    }
}

fn failure(error: HttpError) -> StoreError {
    let kind = match &error {
        HttpError::Connect { .. } => HttpErrorKind::Connect,
        HttpError::Timeout { .. } => HttpErrorKind::Timeout,
        HttpError::Interrupted { phase: Phase::Body, .. } => HttpErrorKind::Interrupted,
        HttpError::Interrupted { .. } => HttpErrorKind::Request,
        _ => HttpErrorKind::Unknown,
    };
    StoreError::new(kind, error)
}
