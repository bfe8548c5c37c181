//! One file of an export, as it comes: with or without a token, compressed or not, whole or from a place on.

use super::BulkError;
use super::exchange::{Exchange, Redirects, Token};
use crate::Refusal;
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use smart_http::{Body, Endpoint, HttpClient, uri_of};
use std::io::Write as _;
use url::Url;

/// How much of a compressed body is expanded at once: what comes of it is held in memory, and may be a thousand times as much.
const PIECE: usize = 2048;

/// How a file is asked for.
pub(super) struct FileRequest<'a> {
    pub(super) url: &'a Url,
    pub(super) token: Token,
    /// Whether it may come compressed.
    pub(super) gzip: bool,
    /// From which octet on, and the version of the file that the octets before are of.
    pub(super) from: Option<(u64, &'a str)>,
}

/// What came of it.
pub(super) enum FileResponse {
    /// The file, or the rest of it.
    Body(FileBody),
    /// The server does not give it out.
    Refused(Box<Refusal>),
}

/// The body of a file.
pub(super) struct FileBody {
    /// The octet that it begins at.
    pub(super) from: u64,
    /// The version of the file, where the server names one that is good for asking for the rest later.
    pub(super) version: Option<String>,
    /// How many octets of the body are announced, compressed as they come.
    pub(super) announced: Option<u64>,
    pub(super) decoder: Decoder,
    pub(super) body: Body,
}

impl Exchange {
    /// Asks for a file. Redirects are followed anywhere, since files often lie in a storage elsewhere: the token is not sent
    /// along to there (requirement BK-35).
    pub(super) async fn open_file(&self, http: &HttpClient, file: &FileRequest<'_>) -> Result<FileResponse, BulkError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri_of(file.url)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/fhir+ndjson"));
        let encoding = if file.gzip && file.from.is_none() { "gzip" } else { "identity" };
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        if let Some((from, version)) = file.from
            && let (Ok(range), Ok(version)) = (format!("bytes={from}-").parse(), HeaderValue::from_str(version))
        {
            headers.insert(RANGE, range);
            headers.insert(IF_RANGE, version);
        }
        let (url, response) = self.open(http, request, file.token, Redirects::Anywhere).await?;
        let protocol = |reason| BulkError::Protocol { endpoint: Endpoint::from(&url), reason };
        let headers = response.headers();
        let from = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT => {
                let asked = file.from.map(|(from, _)| from);
                let sent = range_begin(headers).filter(|sent| Some(*sent) == asked);
                sent.ok_or_else(|| protocol("it sent another part of the file than was asked for"))?
            }
            status if status.is_success() || status.is_redirection() => {
                return Err(protocol("its status for a file is no 200"));
            }
            _ => return Ok(FileResponse::Refused(Box::new(self.refusal(&url, response).await?))),
        };
        let decoder =
            Decoder::of(headers).ok_or_else(|| protocol("the file is encoded in a way that was not asked for"))?;
        let is_plain = matches!(decoder, Decoder::Plain);
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let version = text(ETAG).filter(|tag| is_plain && tag.starts_with('"')).map(str::to_owned);
        let announced = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        Ok(FileResponse::Body(FileBody { from, version, announced, decoder, body: response.into_body() }))
    }
}

/// Where a part begins (RFC 9110, section 14.4).
fn range_begin(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.trim().strip_prefix("bytes ")?;
    range.split('-').next()?.trim().parse().ok()
}

/// Undoes the content coding.
pub(super) enum Decoder {
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Decoder {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let coding = headers.get(CONTENT_ENCODING).map_or("identity", |coding| coding.to_str().unwrap_or_default());
        match coding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Plain),
            "gzip" | "x-gzip" => Some(Self::gzip()),
            _ => None,
        }
    }

    fn gzip() -> Self {
        Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))
    }

    /// Whether the octets come as they are.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    /// Gives what the next octets of the body stand for, piece by piece.
    pub(super) fn feed<E>(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
        damaged: impl Fn() -> E,
    ) -> Result<(), E> {
        match self {
            Self::Plain => each(chunk),
            Self::Gzip(inflater) => {
                for piece in chunk.chunks(PIECE) {
                    inflater.write_all(piece).map_err(|_| damaged())?;
                    each(inflater.get_ref())?;
                    inflater.get_mut().clear();
                }
                Ok(())
            }
        }
    }

    /// Gives what is left at the end of the body.
    pub(super) fn finish<E>(
        &mut self,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
        damaged: impl Fn() -> E,
    ) -> Result<(), E> {
        let Self::Gzip(inflater) = self else { return Ok(()) };
        inflater.try_finish().map_err(|_| damaged())?;
        each(inflater.get_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(packed: &[u8], chunk: usize) -> Result<Vec<u8>, ()> {
        let (mut decoder, mut text) = (Decoder::gzip(), Vec::new());
        for chunk in packed.chunks(chunk) {
            decoder.feed(
                chunk,
                |piece| {
                    text.extend_from_slice(piece);
                    Ok(())
                },
                || (),
            )?;
        }
        decoder.finish(
            |piece| {
                text.extend_from_slice(piece);
                Ok(())
            },
            || (),
        )?;
        Ok(text)
    }

    /// BK-36 (Bulk Data 3.0, output file request): a compressed file that ends before its end is damaged, wherever it ends, and
    /// so is one with a changed octet.
    #[test]
    fn a_compressed_file_that_is_cut_is_damaged() {
        let text: Vec<u8> = (0..300_u32).flat_map(|n| (n * n).to_le_bytes()).collect();
        let whole = packed(&text);
        assert_eq!(unpacked(&whole, 100).unwrap(), text);
        for end in 1..whole.len() {
            assert!(unpacked(&whole[..end], 4096).is_err(), "cut at {end} of {}", whole.len());
        }
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        assert!(unpacked(&changed, 4096).is_err());
        assert_eq!(
            unpacked(&[whole.clone(), whole].concat(), 4096).unwrap(),
            [text.clone(), text].concat(),
            "several members"
        );
    }

    /// BK-36: only the codings that were asked for are taken.
    #[test]
    fn only_known_codings_are_taken() {
        for (coding, taken) in
            [("gzip", true), ("x-gzip", true), ("GZIP", true), ("identity", true), ("br", false), ("gzip, gzip", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_ENCODING, coding.parse().unwrap());
            assert_eq!(Decoder::of(&headers).is_some(), taken, "{coding}");
        }
        assert!(Decoder::of(&HeaderMap::new()).unwrap().is_plain());
    }

    proptest! {
        /// BK-36: what was compressed comes out again, however the body is cut.
        #[test]
        fn compressed_files_come_out_again(text in proptest::collection::vec(any::<u8>(), 0..5000), chunk in 1_usize..3000) {
            prop_assert_eq!(unpacked(&packed(&text), chunk).unwrap(), text);
        }
    }
}
