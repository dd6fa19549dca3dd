//! The least that any program must do to get pull requests, their participants and their comments
//! out of Bitbucket and into SQL tables, and with `--everything` commits, pipelines and steps as
//! well: what the benchmark compares headwater with.
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

use payload::{Comment, CommitItem, List, Pipeline, PullRequest, RepositoryItem, Step};

/// Requests under way at the same time; the same as headwater's in the benchmark.
const CONCURRENCY: usize = 8;
/// Pages between fetching and writing; they bound the memory.
const QUEUED_PAGES: usize = 16;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Parents = mpsc::UnboundedReceiver<Parent>;

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
    /// Also loads commits, pipelines and their steps.
    #[arg(long)]
    everything: bool,
    /// Fetches nothing: parses the raw pages of this database, which an earlier run wrote.
    #[arg(long)]
    pages: Option<PathBuf>,
}

fn main() -> Result<(), Failure> {
    let started = Instant::now();
    let arguments = Arguments::parse();
    // Installed twice only if it is installed already, which is just as well.
    let _ = rustls::crypto::ring::default_provider().install_default();

    if let Some(pages) = &arguments.pages {
        let rows = tables::replay(pages, &arguments.database, &arguments.repository)?;
        let seconds = started.elapsed().as_secs_f64();
        println!("{}", serde_json::json!({"rows": rows, "seconds": seconds}));
        return Ok(());
    }
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
    everything: bool,
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
    Commits(Vec<CommitItem>),
    Pipelines(Vec<Pipeline>),
    Steps(Vec<Step>),
    None,
}

impl Items {
    /// Which items a page holds follows from its address.
    fn parse(url: &str, body: &[u8]) -> Result<Self, Failure> {
        let path = url.split('?').next().unwrap_or_default();
        let last = path.trim_end_matches('/').rsplit('/').next();
        Ok(match last.unwrap_or_default() {
            "pullrequests" => Self::PullRequests(values(body)?),
            "comments" => Self::Comments(values(body)?),
            "commits" => Self::Commits(values(body)?),
            "pipelines" => Self::Pipelines(values(body)?),
            "steps" => Self::Steps(values(body)?),
            _ => Self::None,
        })
    }
}

fn values<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, Failure> {
    let list: List<T> = serde_json::from_slice(body)?;
    Ok(list.values)
}

/// What has children that are still to be fetched.
enum Parent {
    PullRequest(i64),
    Pipeline(String),
}

/// Fetches everything and says how many requests it took.
async fn fetch(source: Source) -> Result<u64, Failure> {
    let source = Arc::new(source);
    let (found, parents) = mpsc::unbounded_channel();
    let parents = Arc::new(Mutex::new(parents));
    let mut tasks: JoinSet<Result<(), Failure>> = JoinSet::new();
    let (lister, rest) = (Arc::clone(&source), Arc::clone(&parents));
    let also_found = found.clone();
    tasks.spawn(async move {
        lister.pull_requests(found).await?;
        lister.children(&rest).await
    });
    if source.everything {
        let builds = Arc::clone(&source);
        tasks.spawn(async move { builds.pipelines(also_found).await });
        let history = Arc::clone(&source);
        tasks.spawn(async move { history.commits().await });
    } else {
        drop(also_found);
    }
    let others = if source.everything { 3 } else { 1 };
    for _ in others..CONCURRENCY {
        let (source, parents) = (Arc::clone(&source), Arc::clone(&parents));
        tasks.spawn(async move { source.children(&parents).await });
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
            everything: arguments.everything,
            list: arguments.endpoint.join(&path)?,
            email: arguments.email,
            token: arguments.token,
            pages,
            requests: AtomicU64::new(0),
        })
    }

    /// Walks the list, page after page, and returns which pull requests have comments.
    async fn pull_requests(&self, found: mpsc::UnboundedSender<Parent>) -> Result<(), Failure> {
        let mut url = self.list.clone();
        url.query_pairs_mut()
            .extend_pairs(
                ["OPEN", "MERGED", "DECLINED", "SUPERSEDED"].map(|state| ("state", state)),
            )
            .append_pair("pagelen", "50")
            .append_pair("fields", "+values.participants,+values.reviewers");
        let pages = |items: Vec<PullRequest>| {
            for item in items.iter().filter(|it| it.comment_count != 0) {
                found.send(Parent::PullRequest(item.id))?;
            }
            Ok(Items::PullRequests(items))
        };
        self.walk(url, pages).await
    }

    async fn pipelines(&self, found: mpsc::UnboundedSender<Parent>) -> Result<(), Failure> {
        let url = self.list.join("pipelines/?sort=-created_on&pagelen=100")?;
        let pages = |items: Vec<Pipeline>| {
            for item in &items {
                found.send(Parent::Pipeline(item.uuid.clone()))?;
            }
            Ok(Items::Pipelines(items))
        };
        self.walk(url, pages).await
    }

    async fn commits(&self) -> Result<(), Failure> {
        let url = self.list.join(".")?;
        let url = Url::parse(url.as_str().trim_end_matches('/'))?;
        let (body, repository) = self.get::<RepositoryItem>(url.clone()).await?;
        self.send(url, body, Items::None).await?;
        let Some(branch) = repository.mainbranch else {
            return Ok(());
        };
        let mut url = self.list.join("commits?pagelen=100")?;
        url.query_pairs_mut().append_pair("include", &branch.name);
        self.walk(url, |items| Ok(Items::Commits(items))).await
    }

    /// Fetches the children of one parent after the other until there are no more.
    async fn children(&self, parents: &Mutex<Parents>) -> Result<(), Failure> {
        loop {
            let Some(parent) = parents.lock().await.recv().await else {
                return Ok(());
            };
            match parent {
                Parent::PullRequest(number) => {
                    let path = format!("pullrequests/{number}/comments?pagelen=100");
                    let url = self.list.join(&path)?;
                    self.walk(url, |items| Ok(Items::Comments(items))).await?;
                }
                Parent::Pipeline(uuid) => {
                    let path = format!("pipelines/{uuid}/steps/?pagelen=100");
                    let url = self.list.join(&path)?;
                    self.walk(url, |items| Ok(Items::Steps(items))).await?;
                }
            }
        }
    }

    /// Reads a list to its end.
    async fn walk<T: DeserializeOwned>(
        &self,
        first: Url,
        of_page: impl Fn(Vec<T>) -> Result<Items, Failure>,
    ) -> Result<(), Failure> {
        let mut next = Some(first);
        while let Some(url) = next {
            let (body, list) = self.get::<List<T>>(url.clone()).await?;
            next = list.next.map(|next| Url::parse(&next)).transpose()?;
            self.send(url, body, of_page(list.values)?).await?;
        }
        Ok(())
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<(Vec<u8>, T), Failure> {
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
        let parsed = serde_json::from_slice(&body)?;
        Ok((body, parsed))
    }

    async fn send(&self, url: Url, body: Vec<u8>, items: Items) -> Result<(), Failure> {
        let page = Page { url, body, items };
        let sent = self.pages.send(page).await;
        sent.map_err(|_| "the writer stopped".into())
    }
}
