//! A server of a few lines that answers as a test says, byte for byte.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// Decides the answer by the number of the request, from 1, and its path with the query. An empty
/// answer closes the connection, none at all keeps the client waiting.
type Answers = dyn Fn(usize, &str) -> Option<Vec<u8>> + Send + Sync;

/// Listens on loopback until it is dropped.
#[derive(Debug)]
pub struct SmallServer {
    /// Its address, with a slash at the end.
    pub endpoint: Url,
    requests: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
}

impl SmallServer {
    /// Listens on a free port.
    pub async fn start(
        answers: impl Fn(usize, &str) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&requests);
        let answers: Arc<Answers> = Arc::new(answers);
        let listening = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&log), Arc::clone(&answers)));
            }
        });
        Self {
            endpoint: Url::parse(&format!("http://{address}/2.0/")).unwrap(),
            requests,
            listening,
        }
    }

    /// Every request so far, with its headers and its body, in lower case.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Path and query of every request so far.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        let requests = self.requests();
        let target = |request: &String| request.split(' ').nth(1).unwrap_or_default().to_owned();
        requests.iter().map(target).collect()
    }
}

impl Drop for SmallServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(mut connection: TcpStream, log: Arc<Mutex<Vec<String>>>, answers: Arc<Answers>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let length = String::from_utf8_lossy(&head).to_lowercase();
    let length = length.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    if connection.read_exact(&mut body).await.is_err() {
        return;
    }
    head.extend_from_slice(&body);
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let number = {
        let mut log = log.lock().unwrap();
        log.push(head);
        log.len()
    };
    match answers(number, &target) {
        Some(answer) => {
            // A client that has had enough is its own business.
            let _ = connection.write_all(&answer).await;
            let _ = connection.shutdown().await;
        }
        None => std::future::pending().await,
    }
}

/// A complete answer; every connection carries one.
#[must_use]
pub fn answer(status: u16, headers: &[&str], body: &[u8]) -> Option<Vec<u8>> {
    let lines = headers
        .iter()
        .flat_map(|line| [line, "\r\n"])
        .collect::<String>();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\n{lines}content-length: {length}\r\n\r\n"
    );
    Some([head.as_bytes(), body].concat())
}

/// 200 with a JSON body.
#[must_use]
pub fn ok(body: &str) -> Option<Vec<u8>> {
    answer(200, &["content-type: application/json"], body.as_bytes())
}

/// A server error that asks to come back at once.
#[must_use]
pub fn unavailable(status: u16) -> Option<Vec<u8>> {
    answer(status, &["retry-after: 0"], b"busy")
}
