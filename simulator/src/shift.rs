//! Lists that change while they are paged.

use serde_json::Value;

use crate::fault::Shift;
use crate::world::{Change, UserId, World};

/// The list a page belongs to.
enum List {
    Repositories,
    PullRequests,
    Comments(u64),
    Activity,
}

/// The change that shifts the list at that path, given an item of the page it is to happen on.
pub(crate) fn change(world: &World, path: &str, shift: Shift, items: &[Value]) -> Option<Change> {
    let by = world.users().first()?.id;
    let (repository, list) = list(path)?;
    // Addresses may name a repository by its uuid; changes do not.
    let slug = match &repository {
        Some(name) => world.repository(name)?.slug.as_str(),
        None => "",
    };
    // Not the ends of the page: an off-by-one elsewhere should not hide.
    let middle = items.get(items.len() / 2);
    match (list, shift) {
        (List::Repositories, Shift::Insert) => Some(Change::AddRepository {
            name: format!("Shift {}", world.revision()),
        }),
        // Rows of a repository that is gone stay, so that nothing could be compared afterwards.
        (List::Repositories, Shift::Delete) => None,
        (List::Repositories, Shift::Update) => Some(Change::EditRepository {
            repository: text(middle?, "/slug")?,
            description: Some("Shifted".to_owned()),
            language: None,
        }),
        (List::PullRequests, Shift::Insert) => Some(Change::CreatePullRequest {
            repository: slug.to_owned(),
            author: Some(by),
            title: "Arrived between two pages".to_owned(),
            description: String::new(),
        }),
        (List::PullRequests, Shift::Delete) => Some(Change::DeletePullRequest {
            repository: slug.to_owned(),
            id: number(middle?, "/id")?,
        }),
        (List::PullRequests, Shift::Update) => Some(edit(slug, number(middle?, "/id")?, by)),
        (List::Comments(id), Shift::Insert) => Some(comment(slug, id, by)),
        (List::Comments(id), Shift::Delete) => {
            deletable(world, slug, items, |item| Some((id, number(item, "/id")?)))
        }
        (List::Comments(id), Shift::Update) => Some(Change::EditComment {
            repository: slug.to_owned(),
            id,
            comment: number(middle?, "/id")?,
            text: "Edited between two pages".to_owned(),
        }),
        (List::Activity, Shift::Insert) => {
            Some(comment(slug, number(middle?, "/pull_request/id")?, by))
        }
        (List::Activity, Shift::Delete) => deletable(world, slug, items, |item| {
            Some((
                number(item, "/pull_request/id")?,
                number(item, "/comment/id")?,
            ))
        }),
        (List::Activity, Shift::Update) => {
            Some(edit(slug, number(middle?, "/pull_request/id")?, by))
        }
    }
}

/// The repository's name as the address has it, and what is listed of it.
fn list(path: &str) -> Option<(Option<String>, List)> {
    let path = path.strip_prefix("/2.0/")?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<&str> = path.split('/').collect();
    let (slug, list) = match segments.as_slice() {
        ["repositories", _] => return Some((None, List::Repositories)),
        ["repositories", _, slug, "pullrequests"] => (slug, List::PullRequests),
        ["repositories", _, slug, "pullrequests", "activity"]
        | ["repositories", _, slug, "pullrequests", _, "activity"] => (slug, List::Activity),
        ["repositories", _, slug, "pullrequests", id, "comments"] => {
            (slug, List::Comments(id.parse().ok()?))
        }
        _ => return None,
    };
    Some((Some(crate::cloud::decode_segment(slug)), list))
}

/// The deletion of a comment that leaves no marker, so that the list gets shorter.
fn deletable(
    world: &World,
    slug: &str,
    items: &[Value],
    place: impl Fn(&Value) -> Option<(u64, u64)>,
) -> Option<Change> {
    items.iter().filter_map(place).find_map(|(id, comment)| {
        let found = world.pull_request(slug, id)?;
        let answered = found
            .comments
            .iter()
            .any(|other| other.parent == Some(comment));
        let deleted = found.comment(comment)?.deleted;
        (!answered && !deleted).then(|| Change::DeleteComment {
            repository: slug.to_owned(),
            id,
            comment,
            disappear: true,
        })
    })
}

fn edit(slug: &str, id: u64, by: UserId) -> Change {
    Change::EditPullRequest {
        repository: slug.to_owned(),
        id,
        by,
        title: Some("Edited between two pages".to_owned()),
        description: None,
    }
}

fn comment(slug: &str, id: u64, by: UserId) -> Change {
    Change::Comment {
        repository: slug.to_owned(),
        id,
        by: Some(by),
        text: "Written between two pages".to_owned(),
        inline: None,
    }
}

fn number(item: &Value, pointer: &str) -> Option<u64> {
    item.pointer(pointer)?.as_u64()
}

fn text(item: &Value, pointer: &str) -> Option<String> {
    item.pointer(pointer)?.as_str().map(str::to_owned)
}
