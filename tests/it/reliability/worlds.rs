//! Worlds to sync, and which of their changes tables can follow.

use headwater_simulator::{Change, Options, Simulator, Size, State, World};
use rand::rngs::StdRng;

/// A change after which tables can be equal: of a lost fork and of a vanished repository the rows
/// stay, which a first sync cannot know.
pub(super) fn is_followed(change: &Change) -> bool {
    !matches!(
        change.plain(),
        Change::RemoveFork { .. } | Change::DeleteRepository { .. }
    )
}

/// A change that no list filtered by time of update shows.
pub(super) fn is_untold(change: &Change) -> bool {
    change.is_silent()
        || matches!(
            change.plain(),
            Change::DeletePullRequest { .. }
                | Change::RenameUser { .. }
                | Change::CloseAccount { .. }
                | Change::CorrectPicture { .. }
                | Change::RenameRepository { .. }
                | Change::SwapRepositories { .. }
        )
}

/// Makes so many changes that the lists tell of.
pub(super) fn change(simulator: &Simulator, random: &mut StdRng, count: usize) {
    let mut world = simulator.world();
    let mut made = 0;
    while made < count {
        let change = world.propose(random);
        if is_followed(&change) && !is_untold(&change) && world.apply(&change).is_ok() {
            made += 1;
        }
    }
}

/// A world in which each kind of list has more than one page somewhere.
pub(super) async fn paged(seed: u64) -> Simulator {
    with_pull_requests(52, seed).await
}

/// A small world in which only the lists of one pull request have more than one page.
pub(super) async fn small(seed: u64) -> Simulator {
    with_pull_requests(10, seed).await
}

/// A small world of more repositories than are worked on at the same time.
pub(super) async fn several(seed: u64) -> Simulator {
    let options = Options {
        seed,
        size: Size {
            repositories: 5,
            pull_requests_per_repository: 3,
            ..Size::tiny()
        },
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

async fn with_pull_requests(pull_requests: usize, seed: u64) -> Simulator {
    let size = Size {
        repositories: 1,
        empty_repositories: 1,
        pull_requests_per_repository: pull_requests,
        comments_per_pull_request: 0.4,
        verdicts_per_pull_request: 0.3,
        edits_per_pull_request: 0.2,
        commits_per_pull_request: 1.0,
        people: 4,
        ..Size::default()
    };
    let options = Options {
        seed,
        size,
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    {
        let mut world = simulator.world();
        let by = world.users()[0].id;
        let slug = world.repositories()[0].slug.clone();
        for number in 0..102 {
            let text = format!("Remark {number}");
            world.comment(&slug, 7, Some(by), &text, None).unwrap();
        }
        let open = open_pull_request(&mut world, &slug);
        world.push_commits(&slug, open, by, 101).unwrap();
    }
    simulator
}

/// The oldest open pull request, or a new one.
fn open_pull_request(world: &mut World, slug: &str) -> u64 {
    let repository = world.repository(slug).unwrap();
    let is_open = |id: &&u64| repository.pull_requests[*id].state == State::Open;
    let found = repository.pull_requests.keys().find(is_open).copied();
    found.unwrap_or_else(|| {
        let made = world.create_pull_request(slug, None, "Long", "");
        made.unwrap().pull_request.unwrap()
    })
}
