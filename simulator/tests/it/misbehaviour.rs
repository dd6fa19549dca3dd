//! Each fault by itself: what a client gets to see.

use std::sync::Arc;
use std::time::Duration;

use headwater_simulator::{Behaviour, Fault, Loop, Options, Removed, Simulator, Size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{PERSON, Response, first, get, ids, json, send, start, walk};

const LIST: &str = "repositories/acme?pagelen=1";

fn always(simulator: &Simulator, fault: Fault) {
    simulator.set_faults(Some(Arc::new(move |_| Some(fault.clone()))));
}

/// A connection that has sent one request and read nothing yet.
async fn asking(simulator: &Simulator, path: &str, headers: &str) -> TcpStream {
    let endpoint = simulator.endpoint();
    let authority = endpoint.split('/').nth(2).unwrap();
    let mut connection = TcpStream::connect(authority).await.unwrap();
    let request =
        format!("GET /2.0/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {PERSON}\r\n{headers}\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    connection
}

fn header(response: &Response, name: &str) -> Option<String> {
    let mut lines = response.headers.lines();
    let found = lines.find_map(|line| line.strip_prefix(&format!("{name}: ")));
    found.map(str::to_owned)
}

#[tokio::test]
async fn a_429_is_plain_text_and_says_when_to_come_back_if_told_so() {
    let simulator = start(Size::tiny()).await;
    for (fault, retry_after) in [
        (Fault::RateLimited(None), None),
        (Fault::retry_after_seconds(7), Some("7")),
    ] {
        always(&simulator, fault);
        let response = get(&simulator, "user").await;
        assert_eq!(response.status, 429);
        assert_eq!(
            response.body,
            b"Rate limit for this resource has been exceeded"
        );
        assert_eq!(response.body.len(), 46);
        assert_eq!(header(&response, "content-type").unwrap(), "text/plain");
        assert_eq!(header(&response, "retry-after").as_deref(), retry_after);
    }
    always(&simulator, Fault::error(429, "Too many requests"));
    assert_eq!(get(&simulator, "user").await.message(), "Too many requests");
}

#[tokio::test]
async fn a_retry_date_counts_from_the_date_of_the_response() {
    let simulator = start(Size::tiny()).await;
    always(
        &simulator,
        Fault::retry_after_date(Duration::from_millis(1_500)),
    );
    let response = get(&simulator, "user").await;
    let read = |name| {
        let text = header(&response, name).unwrap();
        chrono::DateTime::parse_from_rfc2822(&text).unwrap()
    };
    // Headers have whole seconds; one that came too early would be refused again.
    assert_eq!((read("retry-after") - read("date")).num_seconds(), 2);
}

#[tokio::test]
async fn statuses_have_the_bodies_of_the_service() {
    let simulator = start(Size::tiny()).await;
    for status in [401, 403, 404, 500, 503, 555] {
        always(&simulator, Fault::status(status));
        let response = get(&simulator, "user").await;
        assert_eq!(response.status, status);
        assert!(!response.message().is_empty());
    }
    always(&simulator, Fault::status(502));
    let response = get(&simulator, "user").await;
    assert_eq!(response.status, 502);
    assert!(response.body.starts_with(b"<html>"));
}

#[tokio::test]
async fn a_removed_endpoint_names_the_change_and_the_announcement() {
    let simulator = start(Size::tiny()).await;
    always(&simulator, Fault::removed("CHANGE-1"));
    let by_fault = get(&simulator, "user").await;
    simulator.set_faults(None);
    simulator.set_behaviour(Behaviour {
        removed: vec![
            Removed {
                change: "CHANGE-1".to_owned(),
                ..Removed::new("/user")
            },
            Removed {
                status: 404,
                ..Removed::new("/pullrequests")
            },
        ],
        ..Behaviour::default()
    });
    let removed = get(&simulator, "user").await;
    assert_eq!(removed.status, 410);
    assert_eq!(removed.body, by_fault.body);
    assert_eq!(
        removed.message(),
        "CHANGE-1 - Functionality has been deprecated"
    );
    let announced = "https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-1";
    let body = removed.json();
    assert_eq!(body["error"]["data"]["announcement_url"], announced);
    assert_eq!(body["data"]["announcement_url"], announced);

    let slug = first(&simulator);
    let hidden = get(
        &simulator,
        &format!("repositories/acme/{slug}/pullrequests"),
    )
    .await;
    assert_eq!(
        (hidden.status, hidden.message().as_str()),
        (404, "Resource not found")
    );
    assert_eq!(get(&simulator, LIST).await.status, 200);
    assert_eq!(simulator.faults_given()["410 with a change number"], 3);
}

#[tokio::test]
async fn a_connection_may_end_before_the_answer() {
    let simulator = start(Size::tiny()).await;
    always(&simulator, Fault::CutBeforeHead);
    let mut connection = asking(&simulator, "user", "").await;
    let mut bytes = Vec::new();
    // The end may come as an end or as a reset; what matters is that nothing comes before it.
    let _ = connection.read_to_end(&mut bytes).await;
    assert!(bytes.is_empty());
    assert_eq!(simulator.requests()[0].status, 0);
    simulator.set_faults(None);
    assert_eq!(get(&simulator, "user").await.status, 200);
}

#[tokio::test]
async fn a_stalled_answer_brings_half_and_then_nothing() {
    let simulator = start(Size::tiny()).await;
    let whole = get(&simulator, "user").await.body;
    always(&simulator, Fault::Stall);
    let mut connection = asking(&simulator, "user", "").await;
    let half = &whole[..whole.len() / 2];
    let mut bytes = Vec::new();
    while !bytes.ends_with(half) {
        assert_ne!(connection.read_buf(&mut bytes).await.unwrap(), 0);
    }
    let more = tokio::time::timeout(Duration::from_millis(50), connection.read_buf(&mut bytes));
    assert!(more.await.is_err());
    tokio::time::timeout(Duration::from_secs(3), simulator.stop())
        .await
        .unwrap();
}

#[tokio::test]
async fn truncated_and_garbled_json_arrive_as_if_they_were_whole() {
    let simulator = start(Size::tiny()).await;
    let whole = get(&simulator, "user").await.body;
    always(&simulator, Fault::Truncate);
    let truncated = get(&simulator, "user").await;
    assert_eq!(truncated.body, whole[..whole.len() / 2]);
    assert_eq!(
        header(&truncated, "content-length").unwrap(),
        truncated.body.len().to_string()
    );
    always(&simulator, Fault::garbage());
    let garbage = get(&simulator, "user").await;
    assert_eq!(
        header(&garbage, "content-type").unwrap(),
        "application/json"
    );
    assert!(String::from_utf8(garbage.body).is_err());
    always(&simulator, Fault::web_page());
    let page = get(&simulator, "user").await;
    assert_eq!(page.status, 200);
    assert!(
        header(&page, "content-type")
            .unwrap()
            .starts_with("text/html")
    );
}

#[tokio::test]
async fn a_huge_body_is_as_long_as_asked_for() {
    let simulator = start(Size::tiny()).await;
    for packed in [false, true] {
        always(
            &simulator,
            Fault::Huge {
                bytes: 3_000_000,
                packed,
            },
        );
        let accepting = format!("Authorization: {PERSON}\r\nAccept-Encoding: gzip\r\n");
        let response = send(&simulator, "/2.0/user", &accepting).await.unwrap();
        let chunks = unchunked(&response.body);
        let body = if packed {
            assert!(chunks.len() < 100_000, "{}", chunks.len());
            let mut body = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(chunks.as_slice());
            std::io::Read::read_to_end(&mut decoder, &mut body).unwrap();
            body
        } else {
            chunks
        };
        assert_eq!(body.len(), 3_000_000);
        let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(page["values"][0].is_string());
    }
}

/// The body behind `Transfer-Encoding: chunked`.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = std::str::from_utf8(&rest[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        rest = &rest[end + 2..];
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&rest[..length]);
        rest = &rest[length + 2..];
    }
}

#[tokio::test]
async fn a_huge_body_goes_on_for_as_long_as_someone_reads() {
    let simulator = start(Size::tiny()).await;
    always(
        &simulator,
        Fault::Huge {
            bytes: u64::MAX,
            packed: false,
        },
    );
    let mut connection = asking(&simulator, "user", "").await;
    let mut piece = vec![0; 1 << 16];
    let mut length = 0;
    while length < 5_000_000 {
        length += connection.read(&mut piece).await.unwrap();
    }
    drop(connection);
    simulator.stop().await;
}

#[tokio::test]
async fn next_may_lead_in_circles_or_to_strangers() {
    let simulator = start(Size::tiny()).await;
    let proper = json(&simulator, LIST).await;
    let second = proper["next"].as_str().unwrap().to_owned();
    let own = format!("{}{LIST}", simulator.endpoint());
    for (fault, asked, expected) in [
        (Fault::NextLoops(Loop::SamePage), LIST, own.clone()),
        (
            Fault::NextLoops(Loop::SamePage),
            second.as_str(),
            second.clone(),
        ),
        (Fault::NextLoops(Loop::FirstPage), second.as_str(), own),
        (
            Fault::NextElsewhere("http://127.0.0.1:9".to_owned()),
            LIST,
            second.replace(&simulator.endpoint(), "http://127.0.0.1:9/2.0/"),
        ),
    ] {
        always(&simulator, fault.clone());
        assert_eq!(json(&simulator, asked).await["next"], expected, "{fault:?}");
        // The last page lies as well.
        let last = json(&simulator, "repositories/acme?pagelen=100").await;
        assert!(last["next"].is_string(), "{fault:?}");
        // What is no list has no next.
        assert!(json(&simulator, "user").await.get("next").is_none());
    }
    let given = simulator.faults_given();
    assert_eq!(given["next that leads to its own page"], 4);
    assert_eq!(given["next that leads to another origin"], 2);
}

#[tokio::test]
async fn a_page_may_lack_size_or_next_and_keeps_its_items() {
    let simulator = start(Size::tiny()).await;
    let proper = get(&simulator, LIST).await;
    for (fault, member) in [(Fault::NoSize, "size"), (Fault::NoNext, "next")] {
        always(&simulator, fault);
        let page = get(&simulator, LIST).await;
        assert!(proper.json().get(member).is_some());
        assert!(page.json().get(member).is_none());
        let items = |response: &Response| {
            let text = String::from_utf8(response.body.clone()).unwrap();
            let start = text.find("\"values\":").unwrap();
            text[start..].trim_end_matches('}').to_owned()
        };
        assert_eq!(items(&page), items(&proper));
    }
}

#[tokio::test]
async fn lists_without_size_and_next_end_with_an_empty_page() {
    let simulator = start(Size::tiny()).await;
    let slug = first(&simulator);
    let path = format!("repositories/acme/{slug}/pullrequests?state=all&pagelen=2");
    let expected = ids(&walk(&simulator, &path).await);
    simulator.set_behaviour(Behaviour {
        without_size: vec!["/pullrequests".to_owned()],
        without_next: vec!["/pullrequests".to_owned()],
        ..Behaviour::default()
    });
    let mut found = Vec::new();
    for number in 1.. {
        let page = json(&simulator, &format!("{path}&page={number}")).await;
        assert!(page.get("size").is_none() && page.get("next").is_none());
        let values = page["values"].as_array().unwrap();
        if values.is_empty() {
            break;
        }
        found.extend(ids(values));
    }
    assert_eq!(found, expected);
    assert!(json(&simulator, LIST).await["next"].is_string());
    let given = simulator.faults_given();
    assert_eq!(given["lists without size"], given["lists without next"]);
    simulator.behave();
    assert_eq!(ids(&walk(&simulator, &path).await), expected);
}

#[tokio::test]
async fn the_date_may_be_off_and_the_clock_may_be_turned() {
    let simulator = start(Size::tiny()).await;
    let expect = |by: i64| {
        let now = simulator.world().now() + chrono::TimeDelta::seconds(by);
        let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        date.to_lowercase()
    };
    for seconds in [90, -90] {
        simulator.set_behaviour(Behaviour {
            date_skew: chrono::TimeDelta::seconds(seconds),
            ..Behaviour::default()
        });
        let response = get(&simulator, "user").await;
        assert_eq!(header(&response, "date").unwrap(), expect(seconds));
    }
    simulator.behave();
    let slug = first(&simulator);
    let by = simulator.world().users()[0].id;
    let before = simulator.world().now();
    simulator.world().turn_clock(chrono::TimeDelta::hours(-5));
    simulator
        .world()
        .create_pull_request(&slug, Some(by), "After the clock went back", "")
        .unwrap();
    let response = get(&simulator, "user").await;
    assert_eq!(header(&response, "date").unwrap(), expect(0));
    let world = simulator.world();
    let found = world.repository(&slug).unwrap().pull_requests.values();
    let last = found.max_by_key(|found| found.id).unwrap();
    assert_eq!(last.title.as_ref(), "After the clock went back");
    assert!(last.created_on < before);
}

#[tokio::test]
async fn faults_may_coincide() {
    let simulator = start(Size::tiny()).await;
    always(
        &simulator,
        Fault::Together(vec![
            Fault::Delay(Duration::from_millis(1)),
            Fault::NoSize,
            Fault::NextLoops(Loop::SamePage),
            Fault::CutConnection,
        ]),
    );
    let cut = get(&simulator, LIST).await;
    let promised: usize = header(&cut, "content-length").unwrap().parse().unwrap();
    assert!(promised > cut.body.len());
    let record = simulator.take_requests().remove(0);
    assert_eq!(record.status, 200);
    let mut names: Vec<&str> = record.fault.as_deref().unwrap().split(" + ").collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "a late answer",
            "a page without size",
            "connection cut within the answer",
            "next that leads to its own page"
        ]
    );
}

#[tokio::test]
async fn odd_behaviour_can_be_there_from_the_start() {
    let options = Options {
        size: Size::tiny(),
        behaviour: Behaviour {
            removed: vec![Removed::new("")],
            ..Behaviour::default()
        },
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    assert_eq!(get(&simulator, LIST).await.status, 410);
    simulator.behave();
    assert_eq!(get(&simulator, LIST).await.status, 200);
}
