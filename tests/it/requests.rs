//! The number of requests stated in `docs/requests.md` is never exceeded.

use std::collections::BTreeSet;
use std::time::Duration;

use headwater::exit::Exit;
use headwater_simulator::{ENVIRONMENTS, Options, Repository, Simulator, Size, World};
use headwater_testing::On::{self, Sqlite};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rstest::rstest;

use crate::lake::{ALL, How, Lake, with_everything};
use crate::rules::under;

/// The fewest and the most requests that something may take.
type Between = (usize, usize);

fn pages(items: usize, length: usize) -> usize {
    items.div_ceil(length).max(1)
}

/// Of which pipelines steps are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steps {
    All,
    Deployments,
}

/// Requests of a first sync of a workspace, as the page says.
fn first(world: &World, steps: Steps) -> Between {
    let repositories = world.repositories().iter();
    let lists = repositories
        .clone()
        .map(|it| of_repository(world, it, steps));
    let lists = of_workspace(world) + lists.sum::<usize>();
    let comments = repositories.map(of_comments);
    comments.fold((lists, lists), |sum, own| (sum.0 + own.0, sum.1 + own.1))
}

/// By pull request, or of some to compare with what the activity has.
fn of_comments(repository: &Repository) -> Between {
    let pull_requests = repository.pull_requests.values();
    let commented = pull_requests.filter(|it| it.comment_count() > 0);
    let mut lists: Vec<usize> = commented.map(|it| pages(it.comments.len(), 100)).collect();
    let one_by_one = lists.iter().sum();
    if lists.len() < 4 {
        return (one_by_one, one_by_one);
    }
    lists.sort_unstable();
    let compared = (lists.len() / 8).clamp(1, 8);
    (lists.iter().take(compared).sum(), one_by_one)
}

/// The workspace, and its lists: repositories, projects and members.
fn of_workspace(world: &World) -> usize {
    pages(world.repositories().len(), 100)
        + 1
        + pages(world.projects().len(), 100)
        + pages(world.users().len(), 100)
}

/// All but the comments of pull requests.
fn of_repository(world: &World, repository: &Repository, steps: Steps) -> usize {
    let now = world.now();
    let pull_requests = repository.pull_requests.values();
    // Commits and statuses.
    let records = pull_requests.map(|it| 2 * pages(it.commits.len(), 100));
    let issues = repository.issues.values();
    let of_issues = issues.map(|it| pages(it.comments.len(), 100) + pages(it.changes.len(), 100));
    let pipelines = repository.pipelines(now);
    let deployed: BTreeSet<String> = repository
        .deployments(now)
        .into_iter()
        .map(|it| it.pipeline.uuid)
        .collect();
    let read = pipelines
        .iter()
        .filter(|it| steps == Steps::All || deployed.contains(&it.uuid));
    let steps = read.map(|it| pages(it.steps().len(), 100));
    let commits = match repository.mainbranch {
        Some(_) => pages(repository.main.len(), 100),
        None => 0,
    };
    pages(repository.pull_requests.len(), 50)
        + records.sum::<usize>()
        + of_activity(repository)
        + pages(repository.issues.len(), 100)
        + of_issues.sum::<usize>()
        + pages(repository.branches().len(), 100)
        + pages(repository.tags.len(), 100)
        + commits
        + pages(pipelines.len(), 100)
        + steps.sum::<usize>()
        + pages(repository.deployments(now).len(), 100)
        + pages(ENVIRONMENTS.len(), 100)
}

/// By pull request, or all at once, with some of the largest by pull request to compare.
fn of_activity(repository: &Repository) -> usize {
    let pull_requests = repository.pull_requests.values();
    let mut entries: Vec<usize> = pull_requests.map(|it| it.activity.len()).collect();
    let all = pages(entries.iter().sum(), 50);
    let one_by_one = entries.iter().map(|&it| pages(it, 50)).sum();
    if entries.len() < 50 {
        return one_by_one;
    }
    if all > entries.len() / 4 {
        return 1 + one_by_one;
    }
    entries.sort_unstable_by(|left, right| right.cmp(left));
    let compared = entries.iter().take(8);
    2 * all + compared.map(|&it| pages(it, 50)).sum::<usize>()
}

/// Requests of a sync that finds nothing changed: lists, and of pipelines at most all pages.
fn again(world: &World) -> usize {
    let now = world.now();
    let each = world.repositories().iter().map(|repository| {
        1 + usize::from(world.has_trackers())
            + refs(repository)
            + pages(repository.pipelines(now).len(), 100)
    });
    of_workspace(world) + each.sum::<usize>()
}

/// One list of all refs, or one of branches and one of tags.
fn refs(repository: &Repository) -> usize {
    let (branches, tags) = (repository.branches().len(), repository.tags.len());
    match branches + tags {
        0..=100 => 1,
        _ => pages(branches, 100) + pages(tags, 100),
    }
}

/// Requests beside these in repositories where something moved: heads, the lists of refs, and those
/// that pipelines make due.
fn moved(world: &World) -> usize {
    let now = world.now();
    let each = world.repositories().iter().map(|repository| {
        pages(repository.branches().len(), 100)
            + pages(repository.tags.len(), 100)
            + 2
            + pages(repository.deployments(now).len(), 100)
            + pages(ENVIRONMENTS.len(), 100)
    });
    each.sum()
}

async fn synced(lake: &Lake, simulator: &Simulator) -> usize {
    let _ = simulator.take_requests();
    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    let sent = simulator.take_requests().len();
    assert_eq!(summary.requests, sent as u64);
    sent
}

#[rstest]
#[case::a_small_company(1, Size::default(), None)]
#[case::with_trackers(2, Size::tiny(), Some(12))]
#[case::many_comments(3, Size { comments_per_pull_request: 70.0, ..Size::tiny() }, None)]
#[case::no_comments(4, Size { comments_per_pull_request: 0.0, ..Size::default() }, None)]
#[case::pages_that_are_just_full(5, Size { repositories: 1, empty_repositories: 0, pull_requests_per_repository: 100, ..Size::tiny() }, None)]
#[case::much_activity(7, Size { repositories: 1, empty_repositories: 0, pull_requests_per_repository: 60, comments_per_pull_request: 20.0, ..Size::tiny() }, None)]
#[case::nothing_pushed(6, Size { repositories: 0, empty_repositories: 3, ..Size::tiny() }, Some(0))]
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_costs_no_more_requests_than_the_formula_says(
    #[case] seed: u64,
    #[case] size: Size,
    #[case] trackers: Option<usize>,
    #[values(Steps::All, Steps::Deployments)] steps: Steps,
) {
    let options = Options {
        seed,
        size,
        trackers,
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let text = match steps {
        Steps::All => with_everything(&simulator.endpoint(), ALL),
        Steps::Deployments => under(
            &simulator,
            "commit_statuses = true\nsteps = \"deployments\"",
        ),
    };
    let lake = Lake::with(Sqlite, &text).await.unwrap();
    let (least, allowed) = first(&simulator.world(), steps);
    let sent = synced(&lake, &simulator).await;
    let case = format!("first: {sent} sent, {least} to {allowed} stated");
    assert!(sent <= allowed, "{case}");
    // It is no formula that is true because it is large.
    assert!(sent * 10 >= least * 9, "{case}");

    let allowed = again(&simulator.world());
    let sent = synced(&lake, &simulator).await;
    assert!(sent <= allowed, "again: {sent} sent, {allowed} stated");

    // After changes: the lists, and the records of no more parents than changes were made.
    let changes = 12;
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..changes {
        simulator.world().random_change(&mut random);
    }
    let allowed = {
        let world = simulator.world();
        again(&world).max(allowed) + moved(&world) + changes * records_of_one(&world)
    };
    let sent = synced(&lake, &simulator).await;
    assert!(
        sent <= allowed,
        "after changes: {sent} sent, {allowed} stated"
    );
}

/// The most that the records of one changed item cost: a pull request with two new pipelines, or
/// an issue, and a page of commits when the head moved.
fn records_of_one(world: &World) -> usize {
    let pull_requests = world
        .repositories()
        .iter()
        .flat_map(|it| it.pull_requests.values());
    let of = pull_requests.map(|it| {
        pages(it.activity.len(), 50)
            + pages(it.comments.len(), 100)
            + 2 * pages(it.commits.len(), 100)
    });
    of.max().unwrap_or(0) + 2 + 1
}

/// A world in which nothing happens any more.
async fn quiet(repositories: usize, trackers: Option<usize>) -> Simulator {
    let simulator = Simulator::start(Options {
        size: Size {
            repositories,
            empty_repositories: 0,
            ..Size::tiny()
        },
        trackers,
        ..Options::default()
    });
    let simulator = simulator.await.unwrap();
    simulator.world().advance(Duration::from_hours(48));
    simulator
}

/// Requests to the API, without those of git.
async fn of_the_api(lake: &Lake, simulator: &Simulator) -> usize {
    let _ = simulator.take_requests();
    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok, "{summary:?}");
    let requests = simulator.take_requests().into_iter();
    requests.filter(|it| !it.path.contains(".git/")).count()
}

#[rstest]
#[case::by_the_api(None, false, 3)]
#[case::with_trackers(Some(4), false, 4)]
#[case::by_git(None, true, 2)]
#[case::by_git_with_trackers(Some(4), true, 3)]
#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_repository_costs_exactly_what_the_page_says(
    #[case] trackers: Option<usize>,
    #[case] git: bool,
    #[case] expected: usize,
    #[values(1, 10)] repositories: usize,
) {
    let simulator = quiet(repositories, trackers).await;
    let mut text = with_everything(&simulator.endpoint(), ALL);
    if git {
        let url = simulator.git_url();
        text = format!("{text}git.enabled = true\ngit.url = \"{url}\"\n");
    }
    let lake = Lake::with(On::Sqlite, &text).await.unwrap();
    let _ = of_the_api(&lake, &simulator).await;
    let of_workspace = of_workspace(&simulator.world());
    for _ in 0..2 {
        let sent = of_the_api(&lake, &simulator).await;
        assert_eq!(sent, of_workspace + repositories * expected);
    }
    // Once a day deployments and environments, once a week a tracker that is missing.
    lake.days_pass(1).await;
    let sent = of_the_api(&lake, &simulator).await;
    assert_eq!(sent, of_workspace + repositories * (expected + 2));
    lake.days_pass(7).await;
    let missing = usize::from(trackers.is_none());
    let sent = of_the_api(&lake, &simulator).await;
    assert_eq!(sent, of_workspace + repositories * (expected + 2 + missing));
}

/// Small repositories: each of them costs little, and there are many.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_small_repositories_the_first_ones_prove_what_the_others_save() {
    let repositories = number("HEADWATER_REPOSITORIES").unwrap_or(24);
    let size = Size {
        repositories,
        empty_repositories: 0,
        pull_requests_per_repository: 10,
        ..Size::default()
    };
    let options = Options {
        size,
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let text = under(&simulator, "steps = \"deployments\"");
    let lake = Lake::with(Sqlite, &text).await.unwrap();
    let _ = simulator.take_requests();
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    let requests = simulator.take_requests();
    let of = |end: &str| requests.iter().filter(|it| it.path.ends_with(end)).count();
    println!(
        "{repositories} repositories: {} requests, of which activity {}, comments {}, commits {}, \
         steps {}",
        requests.len(),
        of("/activity"),
        of("/comments"),
        of("/commits"),
        of("/steps/")
    );
    let commented: usize = {
        let world = simulator.world();
        let each = world.repositories().iter();
        each.map(|it| of_comments(it).1).sum()
    };
    assert!(
        of("/comments") * 2 < commented,
        "{} of {commented}",
        of("/comments")
    );
}

fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}
