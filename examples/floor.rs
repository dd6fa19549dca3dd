//! The least that any program must do to get pull requests, their participants and their comments
//! out of Bitbucket and into SQL tables: what the benchmark compares headwater with.
//!
//! Pages are fetched, stored as they are, parsed and written to the tool tables in one pass.
//! There are no retries, no rate limit, no state and no change tracking, so it can only load
//! an empty database once. At its end it prints one line of JSON: rows, requests and seconds.

#[path = "benchmark/floor/payload.rs"]
mod payload;
#[path = "benchmark/floor/tables.rs"]
mod tables;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use reqwest::{Client, Url};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use payload::{Comment, List, PullRequest};

/// Requests under way at the same time; the same as headwater's in the benchmark.
const CONCURRENCY: usize = 8;
/// Pages between fetching and writing; they bound the memory.
const QUEUED_PAGES: usize = 16;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Numbers = mpsc::UnboundedReceiver<i64>;

/// Loads the pull requests of one repository.
#[derive(Parser)]
struct Arguments {
    /// Base address of the API, with a slash at its end.
    #[arg(long)]
    endpoint: Url,
    /// Full name, `workspace/slug`.
    #[arg(long)]
    repository: String,
    #[arg(long)]
    email: String,
    #[arg(long)]
    token: String,
    /// Database file that does not exist yet.
    #[arg(long)]
    database: PathBuf,
}

fn main() -> Result<(), Failure> {
    let started = Instant::now();
    let arguments = Arguments::parse();
    // Installed twice only if it is installed already, which is just as well.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let (pages, written) = mpsc::channel(QUEUED_PAGES);
    let (database, repository) = (arguments.database.clone(), arguments.repository.clone());
    let writer = std::thread::spawn(move || tables::write(&database, &repository, written));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let requests = runtime.block_on(fetch(Source::new(arguments, pages)?));
    // A writer that fails closes its channel: its error is the cause, the fetching one's is not.
    let rows = writer.join().map_err(|_| "the writer panicked")??;
    let summary = serde_json::json!({
        "rows": rows,
        "requests": requests?,
        "seconds": started.elapsed().as_secs_f64(),
    });
    println!("{summary}");
    Ok(())
}

/// Where pages come from, and where they go.
struct Source {
    http: Client,
    list: Url,
    email: String,
    token: String,
    pages: mpsc::Sender<Page>,
    requests: AtomicU64,
}

/// One answer: as received, and as parsed.
struct Page {
    url: Url,
    body: Vec<u8>,
    items: Items,
}

enum Items {
    PullRequests(Vec<PullRequest>),
    Comments(Vec<Comment>),
}

/// Fetches everything and tells how many requests it took.
async fn fetch(source: Source) -> Result<u64, Failure> {
    let source = Arc::new(source);
    let (found, numbers) = mpsc::unbounded_channel();
    let numbers = Arc::new(Mutex::new(numbers));
    let mut tasks: JoinSet<Result<(), Failure>> = JoinSet::new();
    let (lister, rest) = (Arc::clone(&source), Arc::clone(&numbers));
    tasks.spawn(async move {
        lister.pull_requests(found).await?;
        lister.comments(&rest).await
    });
    for _ in 1..CONCURRENCY {
        let (source, numbers) = (Arc::clone(&source), Arc::clone(&numbers));
        tasks.spawn(async move { source.comments(&numbers).await });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(source.requests.load(Ordering::Relaxed))
}

impl Source {
    fn new(arguments: Arguments, pages: mpsc::Sender<Page>) -> Result<Self, Failure> {
        let path = format!("repositories/{}/pullrequests", arguments.repository);
        Ok(Self {
            // The benchmark's server is on this machine, whatever proxy the environment names.
            http: Client::builder().no_proxy().build()?,
            list: arguments.endpoint.join(&path)?,
            email: arguments.email,
            token: arguments.token,
            pages,
            requests: AtomicU64::new(0),
        })
    }

    /// Walks the list, page after page, and tells which pull requests have comments.
    async fn pull_requests(&self, found: mpsc::UnboundedSender<i64>) -> Result<(), Failure> {
        let mut url = self.list.clone();
        url.query_pairs_mut()
            .extend_pairs(
                ["OPEN", "MERGED", "DECLINED", "SUPERSEDED"].map(|state| ("state", state)),
            )
            .append_pair("pagelen", "50")
            .append_pair("fields", "+values.participants,+values.reviewers");
        let mut next = Some(url);
        while let Some(url) = next {
            let (body, list) = self.get::<PullRequest>(url.clone()).await?;
            for pull_request in list.values.iter().filter(|it| it.comment_count != 0) {
                found.send(pull_request.id)?;
            }
            next = list.next.map(|next| Url::parse(&next)).transpose()?;
            self.send(url, body, Items::PullRequests(list.values))
                .await?;
        }
        Ok(())
    }

    /// Fetches the comments of one pull request after the other until there are no more.
    async fn comments(&self, numbers: &Mutex<Numbers>) -> Result<(), Failure> {
        loop {
            let Some(number) = numbers.lock().await.recv().await else {
                return Ok(());
            };
            let path = format!("{}/{number}/comments", self.list.path());
            let mut url = self.list.join(&path)?;
            url.set_query(Some("pagelen=100"));
            let mut next = Some(url);
            while let Some(url) = next {
                let (body, list) = self.get::<Comment>(url.clone()).await?;
                next = list.next.map(|next| Url::parse(&next)).transpose()?;
                self.send(url, body, Items::Comments(list.values)).await?;
            }
        }
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<(Vec<u8>, List<T>), Failure> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = self
            .http
            .get(url)
            .basic_auth(&self.email, Some(&self.token));
        let mut response = request.send().await?.error_for_status()?;
        let length = response.content_length().unwrap_or_default();
        let mut body = Vec::with_capacity(usize::try_from(length)?);
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        let list = serde_json::from_slice(&body)?;
        Ok((body, list))
    }

    async fn send(&self, url: Url, body: Vec<u8>, items: Items) -> Result<(), Failure> {
        let page = Page { url, body, items };
        let sent = self.pages.send(page).await;
        sent.map_err(|_| "the writer stopped".into())
    }
}
