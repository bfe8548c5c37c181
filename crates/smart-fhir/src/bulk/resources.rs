//! The resources of an export as a stream, for those who want no files.

use super::exchange::Token;
use super::file_body::{Decoder, FileBody, FileRequest, FileResponse};
use super::{BulkError, ExportJob, FileKind, LineError, LineFault, Manifest, ManifestFile, NdjsonSplitter};
use futures_core::Stream;
use futures_util::stream;
use serde_json::Value;
use smart_core::json::{JsonError, parse_object};
use smart_http::{BoxStream, Endpoint, HttpClient, Limits, RetryPolicy};
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// The longest line. FHIR has attachments within resources; more than this in one of them is a fault.
const MAX_LINE: usize = 64 * 1024 * 1024;

/// A resource of an export, and where it stood.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ExportedResource {
    /// The resource.
    pub resource: Value,
    /// What the file holds.
    pub kind: FileKind,
    /// The number of the file, from 0, in the order in which they are read.
    pub file: usize,
    /// The number of the line, from 1.
    pub line: u64,
}

impl fmt::Debug for ExportedResource {
    /// Shows the place, never the resource.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportedResource")
            .field("kind", &self.kind)
            .field("file", &self.file)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// The resources of an export, one after the other. A line that is no resource is an error, and those after it come; after any
/// other error there is nothing more. Memory is bounded by the longest line.
pub struct ResourceStream(BoxStream<'static, Result<ExportedResource, BulkError>>);

impl ResourceStream {
    /// The next resource; `None` at the end.
    ///
    /// # Errors
    /// [`BulkError::Line`] for a line that is no resource; else the download failed.
    pub async fn try_next(&mut self) -> Result<Option<ExportedResource>, BulkError> {
        std::future::poll_fn(|cx| self.0.as_mut().poll_next(cx)).await.transpose()
    }
}

impl Stream for ResourceStream {
    type Item = Result<ExportedResource, BulkError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for ResourceStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceStream").finish_non_exhaustive()
    }
}

impl ExportJob {
    /// The resources in the files of these manifests, in the order of [`Manifest::output_in_order`], then what the server says of
    /// the export ([`FileKind::Error`]), then what was deleted ([`FileKind::Deleted`]).
    ///
    /// Nothing is asked for before the first item is. Where a connection breaks, the file is asked for again, and what was
    /// given out is passed over.
    pub fn resources(&self, manifests: &[Manifest]) -> ResourceStream {
        let mut files = Vec::new();
        for kind in [FileKind::Output, FileKind::Error, FileKind::Deleted] {
            for manifest in manifests {
                let of_kind: Vec<&ManifestFile> = match kind {
                    FileKind::Output => manifest.output_in_order(),
                    _ => manifest.files.iter().filter(|file| file.kind == kind).collect(),
                };
                let token = if manifest.requires_access_token { Token::Needed } else { Token::Never };
                files.extend(of_kind.into_iter().map(|file| (file.clone(), token)));
            }
        }
        let reader = Reader {
            job: self.clone(),
            files: files.into(),
            number: 0,
            open: None,
            ready: VecDeque::new(),
            is_over: false,
        };
        ResourceStream(Box::pin(stream::unfold(reader, |mut reader| async move {
            let next = reader.next().await?;
            Some((next, reader))
        })))
    }
}

/// The limits of a file: as long and large as it is, as long as it goes on.
pub(super) fn file_client(http: &HttpClient) -> HttpClient {
    let limits = http.limits();
    let idle = limits.idle.max(Duration::from_secs(60));
    http.with_limits(Limits { total: Duration::MAX, max_body: u64::MAX, idle, ..limits })
}

struct Reader {
    job: ExportJob,
    files: VecDeque<(ManifestFile, Token)>,
    number: usize,
    open: Option<Open>,
    ready: VecDeque<Result<ExportedResource, BulkError>>,
    is_over: bool,
}

struct Open {
    body: FileBody,
    splitter: NdjsonSplitter,
    /// The last line that was given out.
    given: u64,
    failures: u32,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<ExportedResource, BulkError>> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            if self.is_over {
                return None;
            }
            if let Err(error) = self.advance().await {
                self.is_over = true;
                return Some(Err(error));
            }
        }
    }

    /// Reads one chunk further, or opens the next file.
    async fn advance(&mut self) -> Result<(), BulkError> {
        let Some((file, token)) = self.files.front().cloned() else {
            self.is_over = true;
            return Ok(());
        };
        let name = format!("{} of the export", self.number + 1);
        let damaged = || BulkError::Truncated { file: name.clone(), reason: "its compression is damaged or cut" };
        let Some(open) = &mut self.open else {
            let body = Self::open_file(&self.job, &file, token, &name, 0).await?;
            self.open = Some(Open { body, splitter: NdjsonSplitter::new(MAX_LINE), given: 0, failures: 0 });
            return Ok(());
        };
        let chunk = open.body.body.chunk().await;
        let (kind, number, given) = (file.kind, self.number, open.given);
        let ready = &mut self.ready;
        let mut last = given;
        let mut each = |line: Result<(u64, &[u8]), LineError>| {
            let at = match &line {
                Ok((at, _)) => *at,
                Err(error) => error.line,
            };
            if at > given {
                last = at;
                let read = line.and_then(|(line, text)| {
                    resource(text).map_err(|fault| LineError { line, fault }).map(|resource| ExportedResource {
                        resource,
                        kind,
                        file: number,
                        line,
                    })
                });
                ready.push_back(read.map_err(|error| BulkError::Line { file: name.clone(), error }));
            }
        };
        match chunk {
            Some(Ok(chunk)) => {
                let splitter = &mut open.splitter;
                open.body.decoder.feed(
                    &chunk,
                    |piece| {
                        splitter.push(piece, &mut each);
                        Ok(())
                    },
                    damaged,
                )?;
                open.given = last;
            }
            None => {
                let splitter = &mut open.splitter;
                open.body.decoder.finish(
                    |piece| {
                        splitter.push(piece, &mut each);
                        Ok(())
                    },
                    damaged,
                )?;
                splitter.finish(&mut each);
                self.open = None;
                self.files.pop_front();
                self.number += 1;
            }
            Some(Err(error)) => {
                open.failures += 1;
                let failures = open.failures;
                let Some(wait) = RetryPolicy::default().delay(failures - 1, None).filter(|_| error.is_retryable())
                else {
                    return Err(error.into());
                };
                self.job.client.exchange.fhir.http().timer().sleep(wait).await;
                let body = Self::open_file(&self.job, &file, token, &name, failures).await?;
                self.open = Some(Open { body, splitter: NdjsonSplitter::new(MAX_LINE), given, failures });
            }
        }
        Ok(())
    }

    async fn open_file(
        job: &ExportJob,
        file: &ManifestFile,
        token: Token,
        name: &str,
        failures: u32,
    ) -> Result<FileBody, BulkError> {
        let exchange = &job.client.exchange;
        let http = file_client(exchange.fhir.http());
        let mut tries = failures;
        loop {
            let request = FileRequest { url: &file.url, token, gzip: true, from: None };
            let response = exchange.open_file(&http, &request).await;
            let (asked, error) = match response {
                Ok(FileResponse::Body(body)) => return Ok(body),
                Ok(FileResponse::Refused(refusal)) => {
                    (refusal.retry_after(), BulkError::FileRefused { file: name.to_owned(), refusal })
                }
                Err(error) => (None, error),
            };
            let wait = exchange.fhir.retries().delay(tries, asked).filter(|_| error.is_retryable());
            let Some(wait) = wait else { return Err(error) };
            tracing::debug!(endpoint = %Endpoint::from(&file.url), ?wait, "asking for a file again");
            exchange.fhir.http().timer().sleep(wait).await;
            tries += 1;
        }
    }
}

/// The resource on a line.
pub(super) fn resource(line: &[u8]) -> Result<Value, LineFault> {
    std::str::from_utf8(line).map_err(|_| LineFault::NotUtf8)?;
    let members = parse_object(line).map_err(|error| match error {
        JsonError::Syntax { column, .. } | JsonError::DuplicateMember { column, .. } => LineFault::NotJson { column },
        JsonError::NotAnObject => LineFault::NotAResource,
    })?;
    match members.get("resourceType").and_then(Value::as_str) {
        Some(name) if !name.is_empty() => Ok(Value::Object(members)),
        _ => Err(LineFault::NotAResource),
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_plain() { "Plain" } else { "Gzip" })
    }
}
