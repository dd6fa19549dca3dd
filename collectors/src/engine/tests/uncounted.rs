//! Lists of an API whose pages begin at offsets, and none of which counts the list.

use super::*;
use crate::dialect::{Dialect, Pages};
use crate::endpoint::{Endpoint, Parent};

static DIALECT: Dialect = Dialect {
    pages: Pages::Offsets,
    ..crate::bitbucket::DIALECT
};

/// The comments of a pull request, as such an API lists them.
struct Comments;

impl Stream for Comments {
    const SOURCE: &'static str = PullRequestComments::SOURCE;
    const NAME: &'static str = PullRequestComments::NAME;
    const DESCRIBES: &'static str = PullRequestComments::DESCRIBES;
}

impl Collect for Comments {
    const ENDPOINT: Endpoint = Endpoint {
        dialect: &DIALECT,
        query: &[("limit", "2")],
        ..PullRequestComments::ENDPOINT
    };
    const PARENT: Option<Parent> = PullRequestComments::PARENT;
}

fn page(ids: &[u32], next: Option<u32>) -> Option<Vec<u8>> {
    let items: Vec<String> = ids.iter().map(|id| format!(r#"{{"id": {id}}}"#)).collect();
    let (values, size) = (items.join(","), items.len());
    let last = next.is_none();
    let next = next.map_or("null".to_owned(), |next| next.to_string());
    ok(&format!(
        r#"{{"size": {size}, "isLastPage": {last}, "nextPageStart": {next}, "values": [{values}]}}"#
    ))
}

#[tokio::test]
async fn children_on_several_pages_are_read_until_two_readings_are_equal() {
    let (server, lake) = with_comments(1, |number, target| {
        // The first one goes after the first page, so that the third one is met on no page.
        match (number, target.contains("start=2")) {
            (2, _) => page(&[1, 2], Some(2)),
            (_, false) => page(&[2, 3], Some(2)),
            (_, true) => page(&[4], None),
        }
    })
    .await;
    lake.collect::<Comments>().await.unwrap();
    assert_eq!(lake.keys::<Comments>().await, ["2", "3", "4"]);
    assert_eq!(server.targets().len(), 1 + 3 * 2, "{:?}", server.targets());
}

#[tokio::test]
async fn children_on_one_page_are_read_once() {
    let (server, lake) = with_comments(1, |_, _| page(&[1, 2], None)).await;
    lake.collect::<Comments>().await.unwrap();
    assert_eq!(lake.keys::<Comments>().await, ["1", "2"]);
    assert_eq!(server.targets().len(), 2);
}
