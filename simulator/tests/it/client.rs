//! A client of a few lines: what is tested is the server, so nothing clever may sit in between.

use headwater_simulator::{Options, Simulator, Size};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const PERSON: &str = "Basic bWVAZXhhbXBsZS5jb206YXBpLXRva2Vu";
pub(crate) const TOKEN: &str = "Bearer access-token";

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn message(&self) -> String {
        let body = self.json();
        assert_eq!(body["type"], "error");
        body["error"]["message"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn start(size: Size) -> Simulator {
    Simulator::start(Options {
        size,
        ..Options::default()
    })
    .await
    .unwrap()
}

/// POST of a form to the address of tokens, with a login in Base64.
pub(crate) async fn post(simulator: &Simulator, login: &str, form: &str) -> Response {
    let length = form.len();
    let headers = format!(
        "Authorization: Basic {login}\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n"
    );
    let target = simulator.token_url();
    let target = &target[target.find("/site").unwrap()..];
    exchange(simulator, &format!("POST {target}"), &headers, form)
        .await
        .unwrap()
}

/// GET with the given header lines, over a connection of its own.
pub(crate) async fn send(
    simulator: &Simulator,
    target: &str,
    headers: &str,
) -> std::io::Result<Response> {
    exchange(simulator, &format!("GET {target}"), headers, "").await
}

async fn exchange(
    simulator: &Simulator,
    request: &str,
    headers: &str,
    body: &str,
) -> std::io::Result<Response> {
    let endpoint = simulator.endpoint();
    let authority = endpoint
        .strip_prefix("http://")
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    let mut connection = TcpStream::connect(authority).await?;
    let request = format!(
        "{request} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{headers}\r\n{body}"
    );
    connection.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes).await?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let headers = String::from_utf8(bytes[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Response {
        status,
        headers,
        body: bytes[end + 4..].to_vec(),
    })
}

/// GET as a user; `path` is relative to the endpoint, or a whole address as `next` gives it.
pub(crate) async fn get(simulator: &Simulator, path: &str) -> Response {
    let origin = simulator.endpoint().replace("/2.0/", "");
    let target = path
        .strip_prefix(&origin)
        .map_or(format!("/2.0/{path}"), str::to_owned);
    send(simulator, &target, &format!("Authorization: {PERSON}\r\n"))
        .await
        .unwrap()
}

pub(crate) async fn json(simulator: &Simulator, path: &str) -> Value {
    let response = get(simulator, path).await;
    assert_eq!(
        response.status,
        200,
        "{path}: {}",
        String::from_utf8_lossy(&response.body)
    );
    response.json()
}

/// Follows `next` to the end and returns all values.
pub(crate) async fn walk(simulator: &Simulator, path: &str) -> Vec<Value> {
    let mut values = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(address) = next {
        let page = json(simulator, &address).await;
        values.extend(page["values"].as_array().unwrap().iter().cloned());
        next = page["next"].as_str().map(str::to_owned);
    }
    values
}

pub(crate) fn ids(values: &[Value]) -> Vec<u64> {
    values
        .iter()
        .map(|value| value["id"].as_u64().unwrap())
        .collect()
}

/// The slug of the oldest repository.
pub(crate) fn first(simulator: &Simulator) -> String {
    simulator.world().repositories()[0].slug.clone()
}
