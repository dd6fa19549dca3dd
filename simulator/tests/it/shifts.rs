//! Lists that change between two pages, and changes that show late or not at all.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_simulator::{Change, Fault, FaultPlan, Habits, Shift, Simulator, World};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::client::{first, ids, start, walk};
use crate::worlds::small;

/// Walks a list while it is shifted before its second page, and counts how often each id came.
async fn shifted(simulator: &Simulator, path: &str, shift: Shift) -> BTreeMap<u64, usize> {
    simulator.follow(FaultPlan::seeded(1).once("page=2", Fault::Shift(shift)));
    let values = walk(simulator, path).await;
    simulator.set_faults(None);
    let mut times = BTreeMap::new();
    for id in ids(&values) {
        *times.entry(id).or_default() += 1;
    }
    times
}

async fn pull_requests(simulator: &Simulator, path: &str) -> BTreeMap<u64, usize> {
    let listed = ids(&walk(simulator, path).await);
    listed.into_iter().map(|id| (id, 1)).collect()
}

#[tokio::test]
async fn an_inserted_pull_request_makes_another_one_come_twice() {
    let simulator = start(small()).await;
    let path = format!(
        "repositories/acme/{}/pullrequests?state=all",
        first(&simulator)
    );
    let before = pull_requests(&simulator, &path).await;
    let seen = shifted(&simulator, &path, Shift::Insert).await;
    assert!(matches!(
        simulator.take_shifts().as_slice(),
        [Change::CreatePullRequest { .. }]
    ));
    assert!(simulator.take_shifts().is_empty());
    assert_eq!(
        seen.keys().max(),
        before.keys().max(),
        "the new one is missed"
    );
    assert_eq!(seen.len(), before.len());
    assert_eq!(seen.values().sum::<usize>(), before.len() + 1);
    assert_eq!(
        pull_requests(&simulator, &path).await.len(),
        before.len() + 1
    );
}

#[tokio::test]
async fn a_deleted_pull_request_makes_another_one_be_skipped() {
    let simulator = start(small()).await;
    let path = format!(
        "repositories/acme/{}/pullrequests?state=all",
        first(&simulator)
    );
    let before = pull_requests(&simulator, &path).await;
    let seen = shifted(&simulator, &path, Shift::Delete).await;
    let after = pull_requests(&simulator, &path).await;
    assert_eq!(after.len(), before.len() - 1);
    let skipped = after.keys().filter(|id| !seen.contains_key(id));
    assert_eq!(skipped.count(), 1);
}

#[tokio::test]
async fn an_updated_pull_request_is_skipped_or_makes_another_one_be() {
    for (order, twice) in [("", 1), ("&sort=updated_on", 1)] {
        let simulator = start(small()).await;
        let slug = first(&simulator);
        let path = format!("repositories/acme/{slug}/pullrequests?state=all{order}");
        let before = pull_requests(&simulator, &path).await;
        let seen = shifted(&simulator, &path, Shift::Update).await;
        let skipped = before.keys().filter(|id| !seen.contains_key(id));
        assert_eq!(skipped.count(), 1, "{order}");
        assert_eq!(
            seen.values().filter(|times| **times == 2).count(),
            twice,
            "{order}"
        );
    }
}

#[tokio::test]
async fn comments_and_activity_shift_as_well() {
    let simulator = start(small()).await;
    let slug = first(&simulator);
    let by = simulator.world().users()[0].id;
    for number in 0..25 {
        let text = format!("Remark {number}");
        simulator
            .world()
            .comment(&slug, 3, Some(by), &text, None)
            .unwrap();
    }
    let path = format!("repositories/acme/{slug}/pullrequests/3/comments");
    let before = walk(&simulator, &path).await.len();
    let seen = shifted(&simulator, &path, Shift::Delete).await;
    assert_eq!(
        seen.len(),
        before - 1,
        "the deleted one was seen, another one was not"
    );
    assert_eq!(walk(&simulator, &path).await.len(), before - 1);

    let path = format!("repositories/acme/{slug}/pullrequests/3/activity");
    let length = async |shift| {
        let before = walk(&simulator, &path).await.len();
        simulator.follow(FaultPlan::seeded(1).once("page=2", Fault::Shift(shift)));
        let seen = walk(&simulator, &path).await.len();
        simulator.set_faults(None);
        (before, seen, walk(&simulator, &path).await.len())
    };
    let (before, seen, after) = length(Shift::Insert).await;
    assert_eq!((seen, after), (before + 1, before + 1), "one came twice");
    let (before, seen, after) = length(Shift::Delete).await;
    assert_eq!((seen, after), (before - 1, before - 1), "one was skipped");
}

#[tokio::test]
async fn repositories_may_be_named_by_uuid_while_their_lists_shift() {
    let simulator = start(small()).await;
    let uuid = simulator.world().repositories()[0].uuid.clone();
    let uuid = uuid.replace('{', "%7B").replace('}', "%7D");
    let path = format!("repositories/acme/{uuid}/pullrequests?state=all");
    shifted(&simulator, &path, Shift::Insert).await;
    assert_eq!(simulator.faults_given().values().sum::<u64>(), 1);
}

#[test]
fn silent_changes_leave_updated_on_alone_and_show_everywhere_else() {
    let mut world = World::generate(3, "acme", &small());
    let slug = world.repositories()[0].slug.clone();
    let by = world.users()[0].id;
    let before = world.pull_request(&slug, 3).unwrap().clone();
    let comment = Change::Comment {
        repository: slug.clone(),
        id: 3,
        by: Some(by),
        text: "Between you and me".to_owned(),
        inline: None,
    };
    world.silently(&comment).unwrap();
    let after = world.pull_request(&slug, 3).unwrap();
    assert_eq!(after.updated_on, before.updated_on);
    assert_eq!(after.comments.len(), before.comments.len() + 1);
    assert_eq!(after.activity.len(), before.activity.len() + 1);
    world.apply(&comment).unwrap();
    assert!(world.pull_request(&slug, 3).unwrap().updated_on > before.updated_on);
}

#[test]
fn habits_decide_what_moves_updated_on() {
    for (comments, verdicts) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut world = World::generate(3, "acme", &small());
        world.set_habits(Habits {
            comments_move_updated_on: comments,
            verdicts_move_updated_on: verdicts,
            ..Habits::default()
        });
        let slug = world.repositories()[0].slug.clone();
        let by = world.users()[0].id;
        let updated = |world: &World| world.pull_request(&slug, 3).unwrap().updated_on;
        let start = updated(&world);
        world.comment(&slug, 3, Some(by), "Hm.", None).unwrap();
        let after_comment = updated(&world);
        assert_eq!(after_comment > start, comments);
        world
            .request_changes(&slug, 3, by)
            .or_else(|_| world.approve(&slug, 3, by))
            .unwrap();
        let after_verdict = updated(&world);
        assert_eq!(after_verdict > after_comment, verdicts);
        world
            .edit_pull_request(&slug, 3, by, Some("Anything else does"), None)
            .unwrap();
        assert!(updated(&world) > after_verdict);
    }
}

#[test]
fn late_changes_are_stamped_in_the_past_but_never_turn_updates_back() {
    let mut world = World::generate(3, "acme", &small());
    let slug = world.repositories()[0].slug.clone();
    let by = world.users()[0].id;
    let edit = |title: &str| Change::EditPullRequest {
        repository: slug.clone(),
        id: 3,
        by,
        title: Some(title.to_owned()),
        description: None,
    };
    world.advance(Duration::from_hours(1));
    let before = world.now();
    world.late(Duration::from_mins(20), &edit("Late")).unwrap();
    let now = world.now();
    let late = world.pull_request(&slug, 3).unwrap().updated_on;
    assert!(now > before && late < before, "{late} {before} {now}");

    world.apply(&edit("In time")).unwrap();
    let updated = world.pull_request(&slug, 3).unwrap().updated_on;
    world
        .late(Duration::from_hours(9), &edit("Very late"))
        .unwrap();
    let found = world.pull_request(&slug, 3).unwrap();
    assert_eq!(found.title.as_ref(), "Very late");
    assert_eq!(found.updated_on, updated);

    let refused = format!("{world:?}");
    let nobody = Change::DeletePullRequest {
        repository: slug.clone(),
        id: 999,
    };
    assert!(world.late(Duration::from_secs(5), &nobody).is_err());
    assert_eq!(format!("{world:?}"), refused);
}

#[test]
fn nasty_habits_come_up_in_random_scripts_and_replay() {
    let mut left = World::generate(3, "acme", &small());
    left.set_habits(Habits::nasty());
    let mut right = left.clone();
    let mut rng = StdRng::seed_from_u64(1);
    let (mut silent, mut late, mut deleted) = (0, 0, 0);
    for _ in 0..200 {
        let change = left.random_change(&mut rng);
        silent += usize::from(change.is_silent());
        late += usize::from(matches!(change, Change::Late { .. }));
        let plain = change.plain();
        deleted += usize::from(matches!(
            plain,
            Change::DeletePullRequest { .. } | Change::DeleteComment { .. }
        ));
        right.apply(&change).unwrap();
    }
    assert!(
        silent > 3 && late > 8 && deleted > 20,
        "{silent} {late} {deleted}"
    );
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
}
