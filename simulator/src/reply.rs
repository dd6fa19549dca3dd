//! A response in the making: what it says, and how the saying ends.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use tokio::sync::watch;

use crate::behaviour::{Admission, RateLimit};
use crate::cloud::envelope::Envelope;
use crate::cloud::{Answer, Reader};
use crate::connections::Line;

/// What the real service sends with 429, byte for byte.
const RATE_LIMITED: &str = "Rate limit for this resource has been exceeded";

/// Status, headers and body, and whether all of it arrives.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) ending: Ending,
}

/// How a response ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As it should.
    Whole,
    /// In pieces, with a pause before each.
    Slow(Duration),
    /// Half the body, then the connection is gone.
    Cut,
    /// Half the body, then silence.
    Stalled,
    /// The connection is gone before the head.
    Nothing,
    /// Silence from the start.
    Silence,
    /// The body goes on for that many bytes instead, unpacked.
    Huge { bytes: u64, packed: bool },
}

impl Reply {
    /// The proper one.
    pub(crate) fn proper(answer: Answer) -> Reply {
        let mut reply = Reply::new(
            answer.status,
            answer.body.into(),
            "application/json; charset=utf-8",
        );
        if let Ok(location) = HeaderValue::from_str(&answer.location)
            && !location.is_empty()
        {
            reply.headers.insert(header::LOCATION, location);
        }
        reply.headers.insert(
            header::VARY,
            HeaderValue::from_static("Accept-Encoding, Authorization"),
        );
        reply
    }

    fn new(status: u16, body: Bytes, kind: &'static str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        Reply {
            status,
            headers,
            body,
            ending: Ending::Whole,
        }
    }

    /// One that a fault decided.
    pub(crate) fn replaced(status: u16, body: Bytes, headers: &[(String, String)]) -> Reply {
        let kind = if body.starts_with(b"{") {
            "application/json"
        } else {
            "text/plain"
        };
        let mut reply = Reply::new(status, body, kind);
        for (name, value) in headers {
            reply.say(name, value);
        }
        reply
    }

    /// 429 as the real service sends it.
    pub(crate) fn rate_limited(retry_after: Option<&str>) -> Reply {
        let mut reply = Reply::new(
            429,
            Bytes::from_static(RATE_LIMITED.as_bytes()),
            "text/plain",
        );
        if let Some(retry_after) = retry_after {
            reply.say("retry-after", retry_after);
        }
        reply
    }

    /// Sets a header. A test that misspells one notices by its absence.
    pub(crate) fn say(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            self.headers.insert(name, value);
        }
    }

    /// Adds what the limit says of itself.
    pub(crate) fn tell_limit(&mut self, limit: &RateLimit, admission: &Admission, reader: Reader) {
        if limit.scaled_headers && reader == Reader::Token {
            let near = admission.remaining * 5 < limit.requests;
            self.say("x-ratelimit-limit", &limit.requests.to_string());
            self.say("x-ratelimit-resource", "api");
            self.say("x-ratelimit-nearlimit", &near.to_string());
        }
        if limit.remaining_headers {
            self.say("x-ratelimit-remaining", &admission.remaining.to_string());
            self.say(
                "x-ratelimit-reset",
                &whole_seconds(admission.reset).to_string(),
            );
        }
    }

    /// Whether it is a page of a list that counts its pages.
    pub(crate) fn is_numbered_page(&self) -> bool {
        Envelope::open(&self.body).is_some_and(|page| page.is_numbered())
    }

    /// Sends it, compressed where the client accepts that.
    pub(crate) async fn send(
        self,
        gzip: bool,
        line: &Line,
        stopped: watch::Receiver<bool>,
    ) -> Response<Body> {
        let Reply {
            status,
            mut headers,
            mut body,
            ending,
        } = self;
        if gzip
            && body.len() > 1024
            && let Some(packed) = compress(&body)
        {
            body = packed;
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let body = match ending {
            Ending::Whole => Body::from(body),
            Ending::Slow(pause) => Body::from_stream(pieces(&body, pause)),
            Ending::Cut => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len() + 1));
                Body::from_stream(half(&body).chain(stream::once(soon_broken())))
            }
            Ending::Stalled => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len() + 1));
                Body::from_stream(half(&body).chain(stream::once(broken_when(stopped))))
            }
            Ending::Nothing => {
                line.cut();
                Body::empty()
            }
            Ending::Silence => {
                until(stopped).await;
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                return response;
            }
            Ending::Huge { bytes, packed } if packed && gzip => {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                Body::from_stream(packed_stream(bytes))
            }
            Ending::Huge { bytes, .. } => Body::from_stream(huge_stream(bytes)),
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = headers;
        response
    }
}

/// HTTP knows whole seconds only; who comes back too early is refused again.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// Waits until the simulator stops.
pub(crate) async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the same news.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Whether the client takes gzip.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("gzip"))
}

fn compress(body: &[u8]) -> Option<Bytes> {
    let mut encoder = encoder();
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn encoder() -> flate2::write::GzEncoder<Vec<u8>> {
    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast())
}

fn half(body: &Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let half = body.slice(..body.len() / 2);
    stream::once(async { Ok(half) })
}

fn pieces(body: &Bytes, pause: Duration) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let length = body.len().div_ceil(16).max(1);
    let starts = (0..body.len()).step_by(length);
    let pieces: Vec<Bytes> = starts
        .map(|start| body.slice(start..body.len().min(start + length)))
        .collect();
    stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok(piece)
    })
}

async fn soon_broken() -> io::Result<Bytes> {
    // Without a pause the failure overtakes the half that is still to be written.
    tokio::time::sleep(Duration::from_millis(20)).await;
    Err(io::ErrorKind::ConnectionAborted.into())
}

async fn broken_when(stopped: watch::Receiver<bool>) -> io::Result<Bytes> {
    until(stopped).await;
    Err(io::ErrorKind::ConnectionAborted.into())
}

/// A page with one endless string, in pieces of 64 KiB that share their memory.
fn huge_stream(bytes: u64) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let (start, end) = (Bytes::from_static(START), Bytes::from_static(END));
    let piece = Bytes::from(vec![b'x'; 1 << 16]);
    let middle = stream::unfold(filling(bytes), move |left| {
        let piece = piece.clone();
        async move {
            let length = left.min(piece.len() as u64);
            let part = piece.slice(..usize::try_from(length).unwrap_or_default());
            (length > 0).then_some((Ok(part), left - length))
        }
    });
    let one = |bytes| stream::once(async move { Ok(bytes) });
    one(start).chain(middle).chain(one(end))
}

const START: &[u8] = b"{\"pagelen\":10,\"values\":[\"";
const END: &[u8] = b"\"]}";

fn filling(bytes: u64) -> u64 {
    bytes.saturating_sub((START.len() + END.len()) as u64)
}

/// The same, compressed while it is sent.
fn packed_stream(bytes: u64) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let mut plain = Box::pin(huge_stream(bytes));
    let mut encoder = Some(encoder());
    stream::poll_fn(move |context| {
        use std::task::Poll;
        loop {
            let Some(open) = encoder.as_mut() else {
                return Poll::Ready(None);
            };
            match plain.as_mut().poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(piece))) => {
                    if let Err(error) = open.write_all(&piece) {
                        return Poll::Ready(Some(Err(error)));
                    }
                    // Small outputs wait: an empty piece would end nothing and help no client.
                    if open.get_ref().len() >= 1 << 14 {
                        let packed = std::mem::take(open.get_mut());
                        return Poll::Ready(Some(Ok(packed.into())));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => {
                    let rest = encoder.take().map(flate2::write::GzEncoder::finish);
                    return Poll::Ready(rest.map(|rest| rest.map(Bytes::from)));
                }
            }
        }
    })
}
