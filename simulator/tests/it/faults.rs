//! Misbehaviour on demand, the log of requests, and stopping.

use std::sync::Arc;
use std::time::Duration;

use headwater_simulator::{Fault, Options, Simulator, Size};

use crate::client::{PERSON, get, send, start};

fn always(simulator: &Simulator, fault: Fault) {
    simulator.set_faults(Some(Arc::new(move |_| Some(fault.clone()))));
}

#[tokio::test]
async fn statuses_and_bodies_can_be_replaced() {
    let simulator = start(Size::tiny()).await;
    let headers = vec![("Retry-After".to_owned(), "7".to_owned())];
    always(&simulator, Fault::Status(429, "slow down".into(), headers));
    let response = get(&simulator, "user").await;
    assert_eq!(
        (response.status, response.body.as_slice()),
        (429, &b"slow down"[..])
    );
    assert!(
        response.headers.contains("retry-after: 7"),
        "{}",
        response.headers
    );
    assert!(
        response.headers.contains("content-type: text/plain"),
        "{}",
        response.headers
    );

    always(
        &simulator,
        Fault::Body("<html>".into(), "text/html".to_owned()),
    );
    let response = get(&simulator, "user").await;
    assert_eq!(
        (response.status, response.body.as_slice()),
        (200, &b"<html>"[..])
    );

    simulator.set_faults(None);
    assert_eq!(get(&simulator, "user").await.status, 200);
    let statuses: Vec<u16> = simulator
        .take_requests()
        .iter()
        .map(|record| record.status)
        .collect();
    assert_eq!(statuses, [429, 200, 200]);
    assert!(simulator.requests().is_empty());
    assert_eq!(simulator.request_count(), 3);
}

#[tokio::test]
async fn a_cut_connection_delivers_half_a_body() {
    let simulator = start(Size::tiny()).await;
    let whole = get(&simulator, "user").await;
    always(&simulator, Fault::CutConnection);
    let cut = get(&simulator, "user").await;
    assert_eq!(cut.body, whole.body[..whole.body.len() / 2]);
    assert!(
        cut.headers
            .contains(&format!("content-length: {}", whole.body.len() + 1))
    );
}

#[tokio::test]
async fn a_hanging_request_ends_with_the_client_or_the_simulator() {
    let simulator = start(Size::tiny()).await;
    always(&simulator, Fault::Hang);
    let request = get(&simulator, "user");
    assert!(
        tokio::time::timeout(Duration::from_millis(100), request)
            .await
            .is_err()
    );
    assert_eq!(simulator.requests()[0].status, 0);

    let endpoint = simulator.endpoint();
    let authority = endpoint
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/2.0/")
        .unwrap();
    let mut hanging = tokio::net::TcpStream::connect(authority).await.unwrap();
    let request = format!("GET /2.0/user HTTP/1.1\r\nHost: x\r\nAuthorization: {PERSON}\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut hanging, request.as_bytes())
        .await
        .unwrap();
    while simulator.request_count() < 2 {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_secs(3), simulator.stop())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_fault_may_change_the_world_between_requests() {
    let simulator = start(Size::tiny()).await;
    let world = simulator.shared_world();
    simulator.set_faults(Some(Arc::new(move |record| {
        assert_eq!(record.method, "GET");
        let mut world = world.lock().unwrap();
        let user = world.users()[0].id;
        world
            .rename_user(user, &format!("Number {}", record.number))
            .unwrap();
        None
    })));
    for number in 1..=3 {
        assert_eq!(
            get(&simulator, "user").await.json()["display_name"],
            format!("Number {number}")
        );
    }
}

#[tokio::test]
async fn every_response_carries_the_simulated_date() {
    let simulator = start(Size::tiny()).await;
    let expect = |simulator: &Simulator| {
        let date = simulator
            .world()
            .now()
            .format("date: %a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        date.to_lowercase()
    };
    let before = expect(&simulator);
    assert!(get(&simulator, "user").await.headers.contains(&before));
    simulator.world().advance(Duration::from_hours(1));
    let after = expect(&simulator);
    assert_ne!(before, after);
    assert!(get(&simulator, "nonsense").await.headers.contains(&after));
}

#[tokio::test]
async fn large_bodies_are_compressed_for_those_who_accept_it() {
    let simulator = start(Size::tiny()).await;
    let headers = format!("Authorization: {PERSON}\r\nAccept-Encoding: gzip, br\r\n");
    let packed = send(&simulator, "/2.0/repositories/acme", &headers)
        .await
        .unwrap();
    assert!(
        packed.headers.contains("content-encoding: gzip"),
        "{}",
        packed.headers
    );
    let mut text = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(packed.body.as_slice());
    std::io::Read::read_to_end(&mut decoder, &mut text).unwrap();
    assert_eq!(text, get(&simulator, "repositories/acme").await.body);
}

#[tokio::test]
async fn an_unrecorded_simulator_still_counts() {
    let options = Options {
        size: Size::tiny(),
        ..Options::benchmark(1, 1)
    };
    let simulator = Simulator::start(options).await.unwrap();
    get(&simulator, "user").await;
    assert!(simulator.requests().is_empty());
    assert_eq!(simulator.request_count(), 1);
}
