//! Git over smart HTTP, below `/WORKSPACE/SLUG.git/`: the same commits, branches and tags that the
//! API lists, with the same hashes.
//!
//! What git itself has to say is said by `git upload-pack`; here is who may hear it.

mod disk;
mod objects;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use axum::body::Body;
use axum::extract::Request as HttpRequest;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::cloud::{Answer, Query, Reader, decode_segment};
use crate::reply::Reply;
use crate::server::{Site, authorization, locked};

pub(crate) use disk::Disk;
pub(crate) use objects::{TAGGER, of_commit};

use disk::Snapshot;

/// The only service: there is no push to a simulator.
const SERVICE: &str = "git-upload-pack";
/// Longest question of a client that is read, packed or not.
const LONGEST_QUESTION: usize = 64 << 20;

/// What a request asks of git.
pub(crate) struct Question {
    full_name: String,
    asks: Asks,
    headers: HeaderMap,
    body: Body,
}

enum Asks {
    /// `GET info/refs`: what is there.
    Refs,
    /// `POST git-upload-pack`: objects, or with the second version of the protocol refs too.
    Pack,
    /// Something that only those who push or know no smart HTTP ask for.
    Else,
}

impl Question {
    /// Takes the question out of a request, where its address is one of git's.
    pub(crate) fn taken(request: HttpRequest) -> (HttpRequest, Option<Question>) {
        let Some((full_name, asks)) = asked(&request) else {
            return (request, None);
        };
        let (parts, body) = request.into_parts();
        let headers = parts.headers.clone();
        let question = Question {
            full_name,
            asks,
            headers,
            body,
        };
        let rest = HttpRequest::from_parts(parts, Body::empty());
        (rest, Some(question))
    }
}

fn asked(request: &HttpRequest) -> Option<(String, Asks)> {
    let path = request.uri().path().strip_prefix('/')?;
    let (name, rest) = path.split_once(".git/")?;
    let segments: Vec<String> = name.split('/').map(decode_segment).collect();
    if segments.len() != 2 {
        return None;
    }
    let service = Query::parse(request.uri().query().unwrap_or_default());
    let service = service.get("service") == Some(SERVICE);
    let asks = match (rest, request.method()) {
        ("info/refs", &Method::GET) if service => Asks::Refs,
        (SERVICE, &Method::POST) => Asks::Pack,
        _ => Asks::Else,
    };
    Some((segments.join("/"), asks))
}

impl Site {
    /// The proper reply of git; none where git was not asked.
    pub(crate) async fn git_reply(&self, question: Option<Question>) -> Option<Reply> {
        let question = question?;
        Some(self.git_answer(question).await)
    }

    async fn git_answer(&self, wish: Question) -> Reply {
        let headers = &wish.headers;
        let reader = match self.accepted.git_reader(authorization(headers)) {
            Ok(reader) => reader,
            Err(refusal) => return refused(&refusal),
        };
        let place = match self.git_place((&wish.full_name, &wish.asks), reader).await {
            Ok(Some(place)) => place,
            // A client without credentials is asked for them, whether it exists or not.
            Ok(None) if reader == Reader::Anonymous => return refused(&Answer::unauthorized()),
            Ok(None) => return said(404, "Repository not found"),
            Err(error) => return said(500, &error.to_string()),
        };
        let version = headers.get("git-protocol");
        let version = version.and_then(|version| version.to_str().ok());
        let done = match wish.asks {
            Asks::Refs => advertise(&place, version).await,
            Asks::Pack => match unpacked(headers, wish.body).await {
                Ok(question) => answer(&place, version, &question).await,
                Err(error) => Err(error),
            },
            Asks::Else => return said(403, "This is read only, and smart HTTP only"),
        };
        done.unwrap_or_else(|error| said(500, &error.to_string()))
    }

    /// The repository on disk; none where there is none that this reader may see.
    async fn git_place(
        &self,
        (full_name, asks): (&str, &Asks),
        reader: Reader,
    ) -> io::Result<Option<PathBuf>> {
        if let Some(own) = self.disk.own(full_name) {
            return Ok(Some(own));
        }
        let snapshot = {
            let world = locked(&self.world);
            let (workspace, slug) = full_name.split_once('/').unwrap_or_default();
            let is_here = workspace.eq_ignore_ascii_case(&world.workspace().slug);
            let found = world
                .repository(slug)
                .filter(|found| is_here && (reader != Reader::Anonymous || !found.is_private));
            found.map(Snapshot::of)
        };
        let Some(snapshot) = snapshot else {
            return Ok(None);
        };
        match asks {
            // A client sees one state from its first question to its last.
            Asks::Pack => self.disk.place_of(&snapshot).map(Some),
            _ => self.disk.write(&snapshot).await.map(Some),
        }
    }
}

/// A refusal as git servers word it: plain text, and which credentials would do.
fn refused(answer: &Answer) -> Reply {
    let text = match answer.status {
        401 => "Unauthorized",
        403 => "You may not have access to this repository",
        _ => "Not found",
    };
    let mut reply = said(answer.status, text);
    if answer.status == 401 {
        reply.say("www-authenticate", "Basic realm=\"Bitbucket\"");
    }
    reply
}

fn said(status: u16, text: &str) -> Reply {
    let kind = [("content-type".to_owned(), "text/plain".to_owned())];
    Reply::replaced(status, format!("{text}\n").into(), &kind)
}

fn proper(body: Vec<u8>, kind: &'static str) -> Reply {
    let mut reply = Reply::replaced(200, body.into(), &[]);
    let headers = &mut reply.headers;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    reply
}

/// What is there, with the line that only the first versions of the protocol begin with.
async fn advertise(place: &Path, version: Option<&str>) -> io::Result<Reply> {
    let mut body = Vec::new();
    if !version.is_some_and(|version| version.contains("version=2")) {
        let line = format!("# service={SERVICE}\n");
        body.extend_from_slice(format!("{:04x}{line}0000", line.len() + 4).as_bytes());
    }
    let arguments = ["upload-pack", "--stateless-rpc", "--advertise-refs", "."];
    body.extend(run(place, &arguments, version, &[]).await?);
    Ok(proper(body, "application/x-git-upload-pack-advertisement"))
}

async fn answer(place: &Path, version: Option<&str>, question: &[u8]) -> io::Result<Reply> {
    let arguments = ["upload-pack", "--stateless-rpc", "."];
    let body = run(place, &arguments, version, question).await?;
    Ok(proper(body, "application/x-git-upload-pack-result"))
}

/// The client's question, unpacked.
async fn unpacked(headers: &HeaderMap, body: Body) -> io::Result<Bytes> {
    let body = axum::body::to_bytes(body, LONGEST_QUESTION);
    let body = body.await.map_err(io::Error::other)?;
    let packed = headers.get(header::CONTENT_ENCODING);
    if packed.is_none_or(|encoding| encoding != "gzip") {
        return Ok(body);
    }
    let mut plain = Vec::new();
    let limit = u64::try_from(LONGEST_QUESTION).unwrap_or(u64::MAX);
    let unpacking = flate2::read::MultiGzDecoder::new(body.as_ref());
    unpacking.take(limit).read_to_end(&mut plain)?;
    Ok(plain.into())
}

/// Runs git in a repository; what it says is the answer however it ends, as for `git http-backend`.
async fn run(
    place: &Path,
    arguments: &[&str],
    version: Option<&str>,
    input: &[u8],
) -> io::Result<Vec<u8>> {
    let mut command = disk::git(place);
    command.args(arguments);
    if let Some(version) = version {
        command.env("GIT_PROTOCOL", version);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdin = child.stdin.take();
    let mut stdout = child.stdout.take();
    let mut said = Vec::new();
    let asking = async {
        if let Some(mut stdin) = stdin {
            // It may have its answer before it has read everything.
            let _ = stdin.write_all(input).await;
            let _ = stdin.shutdown().await;
        }
    };
    let listening = async {
        match &mut stdout {
            Some(stdout) => stdout.read_to_end(&mut said).await.map(drop),
            None => Ok(()),
        }
    };
    let (heard, ()) = tokio::join!(listening, asking);
    heard?;
    child.wait().await?;
    Ok(said)
}
