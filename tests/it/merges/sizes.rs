//! How much pull requests change, counted in git or listed by the source.

use headwater::exit::Exit;
use headwater::session::VerifyRequest;
use headwater::source::GIT;
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use super::{Company, every_way};
use crate::git_history::assert_equals_fresh;
use crate::lake::{How, Lake, ended_output};

type Sizes = (Option<i64>, Option<i64>, Option<i64>);

const UNKNOWN: Sizes = (None, None, None);

/// Two new files of one line each.
const TWO: Sizes = (Some(2), Some(0), Some(2));

async fn size_of(it: &Company, lake: &Lake, number: u64) -> Sizes {
    let text = format!(
        "SELECT additions, deletions, changed_files FROM pull_requests WHERE id = '{}'",
        it.id(number)
    );
    let rows = lake.ask(&text).await.rows;
    let number = |cell: &Cell| match cell {
        Cell::Null => None,
        Cell::Integer(number) => Some(*number),
        other => panic!("{other:?}"),
    };
    (
        number(&rows[0][0]),
        number(&rows[0][1]),
        number(&rows[0][2]),
    )
}

/// The differences that a verification finds.
async fn differences(lake: &Lake, skip: Vec<&'static str>) -> Vec<String> {
    let session = lake.session(&lake.store, CancellationToken::new()).await;
    let request = VerifyRequest {
        skip,
        limit: 50,
        ..VerifyRequest::default()
    };
    let verified = session.unwrap().verify(&request).await.unwrap();
    verified
        .differences
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn git_counts_what_a_pull_request_changes_however_it_was_merged(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let (mut it, expected) = every_way().await;
    let own = it.topic("edit");
    let lines = "edit 1\nand more\n";
    let undone = it.commit("edit", "Once more", &[("edit-1", lines)]);
    let own = [own, vec![undone]].concat();
    let number = expected.last().unwrap().0 + 1;
    let squash = it.squash("edit", &format!("Merged in edit (pull request #{number})"));
    it.delete("edit");
    let edit = it.merged(("edit", "main"), &own, Some(&squash));
    let configuration = it.configuration(true);
    let Some(mut lake) = Lake::with(on, &configuration).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    for (id, says, _) in &expected {
        let is_unknown = says.contains("a squash that is told") || says.contains("its number");
        let size = if is_unknown { UNKNOWN } else { TWO };
        assert_eq!(size_of(&it, &lake, *id).await, size, "{says}");
    }
    assert_eq!(
        size_of(&it, &lake, edit).await,
        TWO,
        "the squash, not its commits"
    );
    for full in [false, true] {
        let (_, run) = lake.sync(How { full }).await;
        assert_eq!((run.written, run.removed), (0, 0), "full: {full}");
    }
    assert_eq!(differences(&lake, Vec::new()).await, Vec::<String>::new());
    assert_eq!(differences(&lake, vec![GIT]).await, Vec::<String>::new());

    // What was counted of a branch goes with the branch.
    it.delete("silent");
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(size_of(&it, &lake, expected[2].0).await, UNKNOWN);
    assert_equals_fresh(on, &lake, &configuration).await;

    let without = it.configuration(false);
    lake.configure(&without);
    let requests = it.simulator.request_count();
    ended_output(lake.start(&["transform"]));
    assert_eq!(it.simulator.request_count(), requests, "no request");
    assert_eq!(size_of(&it, &lake, edit).await, UNKNOWN);
    assert_equals_fresh(on, &lake, &without).await;
    lake.configure(&configuration);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(size_of(&it, &lake, edit).await, TWO);
    assert_equals_fresh(on, &lake, &configuration).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_changed_files_goes_before_git(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let (it, expected) = every_way().await;
    let counted = it.configuration(true);
    let Some(mut lake) = Lake::with(on, &counted).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let listed = format!("{counted}pull_request_sizes = true\n");
    lake.configure(&listed);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let told = "SELECT COUNT(*) FROM pull_requests AS p JOIN (SELECT pull_request_id, \
                SUM(lines_added) AS added, COUNT(*) AS files \
                FROM _tool_bitbucket_pull_request_diffstats GROUP BY pull_request_id) AS listed \
                ON listed.pull_request_id = p.pull_request_key \
                AND listed.added = p.additions AND listed.files = p.changed_files";
    assert_eq!(lake.number(told).await, expected.len());
    assert_equals_fresh(on, &lake, &listed).await;
}
