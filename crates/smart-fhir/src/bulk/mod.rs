//! Bulk Data exports (Bulk Data Access IG 1.0 to 4.0): whole populations as NDJSON files.
//!
//! [`FhirClient::bulk`](crate::FhirClient::bulk) starts an [`ExportJob`]; [`ExportJob::wait`] polls until the server has a
//! [`Manifest`]. The files are downloaded to a folder or an object store, in a way that survives the end of the program at any
//! point ([`ExportJob::download`], [`download::resume`]), or read as a stream of resources without any file
//! ([`ExportJob::resources`]).
//!
//! ```no_run
//! use smart_fhir::bulk::download::{Destination, DownloadOptions};
//! use smart_fhir::bulk::ExportRequest;
//!
//! # async fn example(fhir: smart_fhir::FhirClient) -> Result<(), smart_fhir::bulk::BulkError> {
//! let job = fhir.bulk().start(ExportRequest::group("g1").types(["Patient", "Observation"])).await?;
//! let to = Destination::parse("out/")?;
//! let report = job.download(&to, DownloadOptions::default()).await?;
//! for file in &report.files {
//!     println!("{} has {} resources, SHA-256 {}", file.name, file.lines, file.sha256);
//! }
//! // The next time, only what has changed since then: the server's clock counts, not this machine's.
//! let _next = ExportRequest::group("g1").since(report.transaction_time);
//! # Ok(())
//! # }
//! ```
//!
//! A token is asked for anew for each request. It goes to the origin of the FHIR base, and to other origins only where the
//! caller has allowed them by name and the manifest says that its files need a token. Files that need none get none.
//!
//! `$bulk-submit` and `$bulk-publish` of the 4.0 ballot are not offered (requirement BK-50).

#![cfg_attr(target_arch = "wasm32", allow(dead_code, reason = "only the download needs all of it"))]

mod attachment;
mod blocks;
mod client;
mod deleted;
mod detect;
#[cfg(not(target_arch = "wasm32"))]
pub mod download;
mod error;
mod exchange;
mod file_body;
mod group_sync;
mod instant;
mod job;
mod kick_off;
mod manifest;
mod ndjson;
mod poll;
mod references;
mod request;
mod resources;
mod status;
mod version;

pub use blocks::{BlockItem, BlockReader};
pub use client::BulkClient;
pub use deleted::{Deletion, deletions};
pub use detect::{BulkSupport, GroupSummary};
pub use error::BulkError;
pub use group_sync::{GroupSync, GroupSyncPlan};
pub use instant::FhirInstant;
pub use job::{CancelOnDrop, ExportJob, JobRecord};
pub use manifest::{FileKind, Manifest, ManifestError, ManifestFile};
pub use ndjson::{LineError, LineFault, NdjsonSplitter};
pub use poll::{PollPolicy, Progress};
pub use references::ExportReferences;
pub use request::{AssociatedData, ExportLevel, ExportRequest, KickOffMethod, OutputFormat};
pub use resources::{ExportedResource, ResourceStream};
pub use status::ExportStatus;
pub use version::BulkVersion;

/// Whether a resource is a part of what the server has of it, by its tag SUBSETTED: `_elements` brings such. It must not take
/// the place of a whole one that is already known (requirement BK-11).
pub fn is_subsetted(resource: &serde_json::Value) -> bool {
    let tags =
        resource.pointer("/meta/tag").and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    tags.iter().any(|tag| tag.get("code").and_then(serde_json::Value::as_str) == Some("SUBSETTED"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    /// BK-11 (Bulk Data 2.0, `_elements`): what is a part of a resource can be told from a whole one.
    #[test]
    fn parts_of_resources_are_told() {
        let tagged = json!({"resourceType": "Patient", "meta": {"tag": [{"code": "x"}, {"code": "SUBSETTED"}]}});
        assert!(super::is_subsetted(&tagged));
        assert!(!super::is_subsetted(&json!({"resourceType": "Patient", "meta": {"tag": [{"code": "x"}]}})));
        assert!(!super::is_subsetted(&json!({"resourceType": "Patient"})));
    }
}
