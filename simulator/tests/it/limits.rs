//! The rolling limit, over real requests.

use std::time::Duration;

use headwater_simulator::{Behaviour, Credentials, Options, RateLimit, RetryForm, Simulator, Size};

use crate::client::{PERSON, Response, TOKEN, send};

const HOUR: Duration = Duration::from_hours(1);

async fn limited(limit: RateLimit) -> Simulator {
    let options = Options {
        size: Size::tiny(),
        credentials: Credentials {
            anonymous: true,
            ..Credentials::default()
        },
        behaviour: Behaviour {
            limit: Some(limit),
            ..Behaviour::default()
        },
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

async fn ask(simulator: &Simulator, credential: &str) -> Response {
    let headers = match credential {
        "" => String::new(),
        credential => format!("Authorization: {credential}\r\n"),
    };
    send(simulator, "/2.0/repositories/acme", &headers)
        .await
        .unwrap()
}

#[tokio::test]
async fn each_credential_has_its_budget_and_strangers_share_one() {
    let limit = RateLimit {
        anonymous_requests: 1,
        ..RateLimit::new(2, HOUR)
    };
    let simulator = limited(limit).await;
    let mut statuses = Vec::new();
    for credential in [
        PERSON,
        PERSON,
        PERSON,
        TOKEN,
        "",
        "",
        "Bearer wrong",
        PERSON,
    ] {
        statuses.push(ask(&simulator, credential).await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 200, 200, 429, 401, 429]);
    let used: Vec<(usize, u64, usize)> = simulator
        .rate_use()
        .iter()
        .map(|used| (used.served.len(), used.refused, used.busiest))
        .collect();
    assert_eq!(used, [(2, 2, 2), (1, 0, 1), (1, 1, 1)]);
    assert_eq!(simulator.faults_given()["rolling-hour limit"], 3);
    assert_eq!(
        simulator.rate_use()[0].served_between(Duration::ZERO, HOUR),
        2
    );
}

#[tokio::test]
async fn a_refusal_is_plain_text_and_tells_nothing_unless_told_to() {
    let simulator = limited(RateLimit::new(0, HOUR)).await;
    let refused = ask(&simulator, TOKEN).await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.body,
        b"Rate limit for this resource has been exceeded"
    );
    for name in ["retry-after", "x-ratelimit"] {
        assert!(!refused.headers.contains(name), "{}", refused.headers);
    }
    for form in [RetryForm::Seconds, RetryForm::Date] {
        simulator.set_behaviour(Behaviour {
            limit: Some(RateLimit {
                retry_after: Some(form),
                ..RateLimit::new(0, HOUR)
            }),
            ..Behaviour::default()
        });
        let refused = ask(&simulator, TOKEN).await;
        let hour_later = simulator.world().now() + HOUR;
        let expected = match form {
            RetryForm::Seconds => "retry-after: 3600".to_owned(),
            RetryForm::Date => hour_later
                .format("retry-after: %a, %d %b %Y %H:%M:%S GMT")
                .to_string()
                .to_lowercase(),
        };
        assert!(refused.headers.contains(&expected), "{}", refused.headers);
    }
}

#[tokio::test]
async fn only_access_tokens_learn_their_limit() {
    let limit = RateLimit {
        scaled_headers: true,
        ..RateLimit::new(5, HOUR)
    };
    let simulator = limited(limit).await;
    assert!(
        !ask(&simulator, PERSON)
            .await
            .headers
            .contains("x-ratelimit")
    );
    let mut near = Vec::new();
    for _ in 0..6 {
        let headers = ask(&simulator, TOKEN).await.headers;
        assert!(headers.contains("x-ratelimit-limit: 5"), "{headers}");
        assert!(headers.contains("x-ratelimit-resource: api"), "{headers}");
        near.push(headers.contains("x-ratelimit-nearlimit: true"));
    }
    assert_eq!(near, [false, false, false, false, true, true]);
}

#[tokio::test]
async fn what_remains_is_told_where_that_is_switched_on() {
    let limit = RateLimit {
        remaining_headers: true,
        ..RateLimit::new(3, HOUR)
    };
    let simulator = limited(limit).await;
    for remaining in [2, 1, 0, 0] {
        let headers = ask(&simulator, PERSON).await.headers;
        let expected = format!("x-ratelimit-remaining: {remaining}");
        assert!(headers.contains(&expected), "{headers}");
        assert!(headers.contains("x-ratelimit-reset: 3"), "{headers}");
    }
}

#[tokio::test]
async fn a_window_that_has_passed_lets_the_next_one_in() {
    let window = Duration::from_millis(100);
    let simulator = limited(RateLimit::new(2, window)).await;
    let mut served = 0;
    while served < 5 {
        match ask(&simulator, PERSON).await.status {
            200 => served += 1,
            status => assert_eq!(status, 429),
        }
    }
    let used = simulator.rate_use().remove(0);
    assert_eq!(used.served.len(), 5);
    assert!(used.busiest <= 2);
    for three in used.served.windows(3) {
        assert!(three[2] >= three[0] + window, "{:?}", used.served);
    }
}

#[tokio::test]
async fn another_limit_starts_with_empty_windows_and_the_same_one_goes_on() {
    let simulator = limited(RateLimit::new(1, HOUR)).await;
    assert_eq!(ask(&simulator, PERSON).await.status, 200);
    simulator.set_behaviour(simulator.behaviour());
    assert_eq!(ask(&simulator, PERSON).await.status, 429);
    simulator.set_behaviour(Behaviour {
        limit: Some(RateLimit::new(1, 2 * HOUR)),
        ..Behaviour::default()
    });
    assert_eq!(ask(&simulator, PERSON).await.status, 200);
}
