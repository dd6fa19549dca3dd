//! What a depot answers: one project with one repository, in pages of two.

use std::sync::{Arc, Mutex, MutexGuard};

use headwater_testing::small_server::{SmallServer, answer, ok};
use serde_json::{Value, json};
use url::Url;

/// What is in the depot now.
pub(crate) struct Stock {
    /// Last part of the repository's name.
    pub(crate) slug: &'static str,
    /// Pull requests, as the API shows them.
    pub(crate) pull_requests: Vec<Value>,
    /// The pull request that goes when the first page has been read.
    pub(crate) goes_after_first_page: Option<i64>,
    /// Status and exception of every answer; none where it answers.
    pub(crate) refuses: Option<(u16, &'static str)>,
}

/// A depot on loopback.
pub(crate) struct Server {
    pub(crate) server: SmallServer,
    stock: Arc<Mutex<Stock>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let stock = Stock {
            slug: "pump",
            pull_requests: (1..=5).map(|id| pull_request(id, "OPEN")).collect(),
            goes_after_first_page: None,
            refuses: None,
        };
        let stock = Arc::new(Mutex::new(stock));
        let answers = Arc::clone(&stock);
        let server = SmallServer::start(move |_, target| {
            let target = Url::parse(&format!("http://depot{target}")).unwrap();
            answered(&mut answers.lock().unwrap(), &target)
        });
        Self {
            server: server.await,
            stock,
        }
    }

    pub(crate) fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap()
    }
}

/// One pull request, made at its number's second with some milliseconds.
pub(crate) fn pull_request(id: i64, state: &str) -> Value {
    let at = 1_700_000_000_123 + id * 1000;
    let author = ["ann", "bob"][usize::try_from(id % 2).unwrap()];
    json!({
        "id": id,
        "title": format!("Change {id}"),
        "state": state,
        "createdDate": at,
        "closedDate": (state == "MERGED").then_some(at + 500),
        "author": {"name": author, "displayName": author.to_uppercase()},
    })
}

fn answered(stock: &mut Stock, target: &Url) -> Option<Vec<u8>> {
    if let Some((status, exception)) = stock.refuses {
        let errors = json!({"errors": [{"message": "Not here", "exceptionName": exception}]});
        return answer(status, &[], errors.to_string().as_bytes());
    }
    let segments: Vec<&str> = target.path_segments().unwrap().skip(1).collect();
    let repository = json!({
        "id": 7,
        "slug": stock.slug,
        "name": format!("The {}", stock.slug),
        "project": {"key": "ops"},
        // Newer versions of such an API write text.
        "createdDate": "2023-11-14T22:13:20.123+0000",
    });
    match segments.as_slice() {
        ["projects", "ops", "repos"] => page(target, &[repository]),
        ["projects", "ops", "repos", slug] if *slug == stock.slug => ok(&repository.to_string()),
        ["projects", "ops", "repos", slug, "pull-requests"] if *slug == stock.slug => {
            let answer = page(target, &stock.pull_requests);
            if let Some(gone) = stock.goes_after_first_page.take() {
                stock.pull_requests.retain(|item| item["id"] != gone);
            }
            answer
        }
        ["projects", "ops", "repos", slug, "pull-requests", id] if *slug == stock.slug => {
            let mut items = stock.pull_requests.iter();
            match items.find(|item| item["id"].as_i64() == id.parse().ok()) {
                Some(item) => ok(&item.to_string()),
                None => missing(),
            }
        }
        _ => missing(),
    }
}

fn missing() -> Option<Vec<u8>> {
    let errors = r#"{"errors": [{"message": "No such thing", "exceptionName": "NoSuch"}]}"#;
    answer(404, &[], errors.as_bytes())
}

/// `size` is the size of the page, never that of the list.
fn page(target: &Url, items: &[Value]) -> Option<Vec<u8>> {
    let number = |wanted: &str| {
        let mut pairs = target.query_pairs();
        let found = pairs.find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.parse::<usize>().unwrap())
    };
    let (start, limit) = (number("start").unwrap_or(0), number("limit").unwrap_or(25));
    let end = items.len().min(start + limit);
    let values = &items[start.min(end)..end];
    let is_last = end == items.len();
    ok(&json!({
        "size": values.len(),
        "limit": limit,
        "start": start,
        "isLastPage": is_last,
        "nextPageStart": (!is_last).then_some(end),
        "values": values,
    })
    .to_string())
}
