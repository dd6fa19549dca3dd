use std::time::Duration;

use super::*;

fn of(whole: &[Option<u64>]) -> KnownLists {
    let whole = whole.iter().map(|&length| Whole {
        stream: "pull_requests",
        length,
        stored: 0,
        page: 50,
        children: 3,
        below: None,
    });
    KnownLists {
        certain: 1,
        whole: whole.collect(),
        changes: false,
    }
}

#[test]
fn a_whole_list_costs_its_pages_and_the_lists_of_its_items() {
    assert_eq!(sum(&[of(&[Some(0)])]), (2, false));
    assert_eq!(sum(&[of(&[Some(101)])]), (1 + 3 + 303, false));
}

#[test]
fn a_list_nobody_knows_is_taken_for_as_long_as_the_others() {
    assert_eq!(
        sum(&[of(&[Some(100)]), of(&[Some(50)]), of(&[None])]),
        (3 + 2 + 1 + 2 + 225 * 3, false)
    );
    assert_eq!(
        sum(&[of(&[None])]),
        (2, true),
        "and says so when none is known"
    );
}

#[test]
fn changes_can_be_counted_only_when_they_are_there() {
    let changes = KnownLists {
        certain: 7,
        changes: true,
        ..KnownLists::default()
    };
    assert_eq!(sum(&[changes]), (7, true));
}

fn shown(requests: u64, at_least: bool, budget: Option<&Budget>) -> String {
    let now = "2026-03-03T21:30:00Z".parse().unwrap();
    let estimate = under((requests, at_least), budget, now);
    estimate.sentence(&chrono_tz::Europe::Berlin)
}

#[test]
fn an_estimate_is_a_sentence_with_one_time_in_the_zone_of_its_reader() {
    let budget = |used| Budget {
        per_hour: 1000,
        at_once: 500,
        evenly: 1000,
        returning: vec![(Duration::from_mins(30), used)],
        counts: Some(Duration::from_secs(3690)),
    };
    for (requests, at_least, budget, expected) in [
        (1, true, None, "at least 1 request"),
        (40, false, Some(budget(0)), "about 40 requests"),
        (40, true, Some(budget(310)), "at least 40 requests"),
        (
            700,
            false,
            Some(budget(0)),
            "about 700 requests at 1,000 an hour, done at about 22:42",
        ),
        (
            220,
            true,
            Some(budget(900)),
            "at least 220 requests at 1,000 an hour, done not before 23:00",
        ),
        (
            3_500,
            false,
            Some(budget(0)),
            "about 3,500 requests at 1,000 an hour, done at about Wed 01:36",
        ),
    ] {
        assert_eq!(shown(requests, at_least, budget.as_ref()), expected);
    }
}

#[test]
fn a_list_is_read_as_a_whole_where_that_was_never_done_for_its_range() {
    let date = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
    let march = date("2026-03-01T00:00:00Z");
    let june = date("2026-06-01T00:00:00Z");
    let read = |data_after| WalkState {
        complete: true,
        data_after,
        ..WalkState::default()
    };
    for (walked, data_after, full, expected) in [
        (WalkState::default(), None, false, true),
        (read(None), None, false, false),
        (read(None), march, false, false),
        (read(june), march, false, true),
        (read(march), june, false, false),
        (read(june), None, false, true),
        (read(None), None, true, true),
    ] {
        assert_eq!(
            is_whole(&walked, data_after, full),
            expected,
            "{walked:?} {data_after:?}"
        );
    }
}
