//! What answers say beside their bodies: endpoints that are going to be removed, and the server's
//! time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use headwater_store::symptoms::ServerNotes;
use reqwest::header::HeaderMap;
use url::Url;

/// Characters of a header that are kept.
const LONGEST: usize = 100;

/// Characters of an endpoint that are kept.
const LONGEST_ENDPOINT: usize = 255;

/// Collects what answers say. Clones collect into the same notes.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<ServerNotes>>);

impl Notes {
    /// What was collected so far.
    #[must_use]
    pub fn taken(&self) -> ServerNotes {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the headers of one answer; `now` is our clock (UTC).
    pub(super) fn note(
        &self,
        url: &Url,
        headers: &HeaderMap,
        server: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        let text = |name| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            let value: String = value.unwrap_or_default().chars().take(LONGEST).collect();
            value.trim().to_owned()
        };
        let (deprecation, sunset) = (text("deprecation"), text("sunset"));
        let is_announced = !(deprecation.is_empty() && sunset.is_empty());
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let announced = is_announced.then_some((deprecation, sunset));
        notes.endpoints.insert(endpoint(url), announced);
        if let Some(server) = server {
            notes.ahead_seconds = Some((now - server).num_seconds());
        }
    }
}

/// The path of an address, with `*` for names, numbers and hashes, so that one line stands for an
/// endpoint of all repositories.
fn endpoint(url: &Url) -> String {
    let mut path = String::new();
    // Behind these words come names: of a workspace and a repository, or of one thing.
    let mut names = 0;
    for segment in url.path().split('/').filter(|segment| !segment.is_empty()) {
        path.push('/');
        let is_version = segment.split('.').all(|it| it.parse::<u32>().is_ok()) && path.len() < 2;
        let has_digit = segment.bytes().any(|byte| byte.is_ascii_digit());
        if names > 0 {
            names -= 1;
            path.push('*');
            continue;
        }
        path.push_str(if has_digit && !is_version {
            "*"
        } else {
            segment
        });
        names = match segment {
            "repositories" => 2,
            "workspaces" | "users" | "repos" | "projects" => 1,
            _ => 0,
        };
    }
    path.chars().take(LONGEST_ENDPOINT).collect()
}

/// Notes of several clients of one connection in one.
#[must_use]
pub fn together(notes: impl Iterator<Item = ServerNotes>) -> ServerNotes {
    notes.fold(ServerNotes::default(), |mut all, notes| {
        let mut endpoints: BTreeMap<_, _> = notes.endpoints;
        all.endpoints.append(&mut endpoints);
        all.ahead_seconds = notes.ahead_seconds.or(all.ahead_seconds);
        all
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn one_line_stands_for_an_endpoint_of_all_repositories() {
        for (address, expected) in [
            (
                "https://api.example/2.0/repositories/acme/rocket/pullrequests/7/activity?page=2",
                "/2.0/repositories/*/*/pullrequests/*/activity",
            ),
            (
                "https://api.example/2.0/workspaces/acme/members",
                "/2.0/workspaces/*/members",
            ),
            (
                "https://api.example/rest/api/latest/projects/KEY/repos/slug/commits",
                "/rest/api/latest/projects/*/repos/*/commits",
            ),
        ] {
            assert_eq!(endpoint(&Url::parse(address).unwrap()), expected);
        }
    }

    #[test]
    fn announcements_are_noted_and_taken_back_and_clocks_compared() {
        let notes = Notes::default();
        let url = Url::parse("https://api.example/2.0/workspaces/acme").unwrap();
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let mut headers = HeaderMap::new();
        let date = HeaderValue::from_static("Sat, 01 May 2027 00:00:00 GMT");
        headers.insert("sunset", date);
        let server = now - chrono::TimeDelta::seconds(90);
        notes.note(&url, &headers, Some(server), now);
        let taken = notes.taken();
        let announced = taken.endpoints["/2.0/workspaces/*"].clone().unwrap();
        assert_eq!(announced.1, "Sat, 01 May 2027 00:00:00 GMT");
        assert_eq!(taken.ahead_seconds, Some(90));
        notes.note(&url, &HeaderMap::new(), None, now);
        assert_eq!(notes.taken().endpoints["/2.0/workspaces/*"], None);
        assert_eq!(together([taken, notes.taken()].into_iter()), notes.taken());
    }
}
