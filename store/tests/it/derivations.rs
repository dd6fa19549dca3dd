//! What changes of rows put on the work lists of derivations.

use headwater_domain::code::{commit, pull_request};
use headwater_domain::crossdomain::{account, pull_request_issue};
use headwater_domain::{Origin, Row, Rows, Scope};
use headwater_store::derivations::{Derivation, Input, Reach, RowChange, Stale, Written};
use headwater_store::progress::Checkpoint;
use headwater_store::{Owner, Replacement, StepContext, Store};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::temp_store::{TempStore, moon, rocket, second};

const STEP: &str = "convert:test";

fn derivation(reach: Reach, reads: Vec<Input>) -> Derivation {
    Derivation {
        name: "test",
        reach,
        reads,
        writes: vec![Written::by::<account::Entity>("id")],
        needs: &[],
    }
}

fn pull_request(id: &str, repo: &str, status: &str) -> pull_request::Model {
    pull_request::Model {
        id: id.to_owned(),
        base_repo_id: repo.to_owned(),
        status: status.to_owned(),
        ..pull_request::Model::default()
    }
}

fn link(pull_request: &str, issue: &str) -> pull_request_issue::Model {
    pull_request_issue::Model {
        pull_request_id: pull_request.to_owned(),
        issue_id: issue.to_owned(),
        ..pull_request_issue::Model::default()
    }
}

/// Makes the rows of an owner be these.
async fn replace<R: Row>(
    store: &Store,
    scope: &Scope,
    (column, owner): (&'static str, &str),
    rows: Vec<R>,
) {
    let mut batch = Rows::default();
    batch.from_origin(Origin {
        params: scope.params(),
        ..Origin::default()
    });
    for row in rows {
        batch.push(row);
    }
    let mut page = store.begin(scope, second(1)).await.unwrap();
    let replacement = Replacement {
        table: R::table(),
        owner: Owner::Column {
            name: column,
            values: vec![owner.to_owned()],
            connection_id: None,
        },
        rows: batch.take(R::table()),
        first: false,
    };
    page.replace(replacement).await.unwrap();
    page.commit().await.unwrap();
}

/// Says that everything was looked at.
async fn settle(store: &Store, scope: &Scope) {
    let page = store.begin(scope, second(1)).await.unwrap();
    let keys = store.work(scope, STEP, "", 99).await.unwrap();
    page.finish_work(STEP, &keys).unwrap();
    let done = Checkpoint {
        rules: "v1".to_owned(),
        ..Checkpoint::default()
    };
    page.set_checkpoint(STEP, &done).await.unwrap();
    page.commit().await.unwrap();
}

/// The keys that are listed, and whether everything is stale; all is settled then.
async fn stale(store: &Store, scope: &Scope) -> (String, bool) {
    let keys = store.work(scope, STEP, "", 99).await.unwrap().join(" ");
    let rules = store.checkpoint(scope, STEP).await.unwrap().rules;
    settle(store, scope).await;
    (keys, rules != "v1")
}

fn nothing() -> (String, bool) {
    (String::new(), false)
}

fn listed(keys: &str) -> (String, bool) {
    (keys.to_owned(), false)
}

fn everything() -> (String, bool) {
    (String::new(), true)
}

#[rstest]
#[tokio::test]
async fn a_changed_row_lists_its_key_before_and_after(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(temp) = TempStore::on(on).await else {
        return;
    };
    let by_repository =
        Input::key::<pull_request::Entity>("base_repo_id").of_columns(&["base_repo_id", "status"]);
    let store = temp.following(vec![derivation(Reach::Scope, vec![by_repository])]);
    let (scope, own) = (rocket(), ("id", "pr:1"));
    // Never looked at: everything will be, and no key needs a list.
    replace(&store, &scope, own, vec![pull_request("pr:1", "a", "OPEN")]).await;
    assert_eq!(stale(&store, &scope).await, everything());
    replace(&store, &scope, own, vec![pull_request("pr:1", "b", "OPEN")]).await;
    assert_eq!(stale(&store, &scope).await, listed("a b"));
    replace(&store, &scope, own, vec![pull_request("pr:1", "b", "OPEN")]).await;
    assert_eq!(stale(&store, &scope).await, nothing(), "the same row");
    let mut titled = pull_request("pr:1", "b", "OPEN");
    titled.title = "Another title".to_owned();
    replace(&store, &scope, own, vec![titled]).await;
    assert_eq!(
        stale(&store, &scope).await,
        nothing(),
        "no column that counts"
    );
    replace::<pull_request::Model>(&store, &scope, own, Vec::new()).await;
    assert_eq!(stale(&store, &scope).await, listed("b"), "a removed row");
    // Another scope has a list of its own.
    settle(&store, &moon()).await;
    replace(
        &store,
        &moon(),
        ("id", "pr:2"),
        vec![pull_request("pr:2", "c", "OPEN")],
    )
    .await;
    assert_eq!(stale(&store, &scope).await, nothing());
    assert_eq!(stale(&store, &moon()).await, listed("c"));
}

#[rstest]
#[tokio::test]
async fn a_transaction_that_is_not_committed_lists_nothing(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(temp) = TempStore::on(on).await else {
        return;
    };
    let store = temp.following(vec![derivation(
        Reach::Scope,
        vec![Input::key::<pull_request::Entity>("id")],
    )]);
    settle(&store, &rocket()).await;
    {
        let mut rows = Rows::default();
        rows.push(pull_request("pr:1", "a", "OPEN"));
        let mut page = store.begin(&rocket(), second(1)).await.unwrap();
        page.write_rows(rows).await.unwrap();
    }
    assert_eq!(stale(&store, &rocket()).await, nothing());
}

#[rstest]
#[tokio::test]
async fn a_row_leads_to_keys_through_another_table(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
    #[values(Reach::Scope, Reach::Everywhere)] reach: Reach,
) {
    let Some(temp) = TempStore::on(on).await else {
        return;
    };
    let through = Input::through::<pull_request::Entity, pull_request_issue::Entity>(
        "id",
        "pull_request_id",
        "issue_id",
    );
    let own = Input::key::<pull_request_issue::Entity>("issue_id");
    let store = temp.following(vec![derivation(reach, vec![through, own])]);
    let place = match reach {
        Reach::Scope => rocket(),
        Reach::Everywhere => Scope::everywhere(),
    };
    settle(&store, &place).await;
    let scope = rocket();
    let links = vec![
        link("pr:1", "i:1"),
        link("pr:1", "i:2"),
        link("pr:2", "i:3"),
    ];
    for link in links {
        let owner = link.issue_id.clone();
        replace(&store, &scope, ("issue_id", &owner), vec![link]).await;
    }
    assert_eq!(stale(&store, &place).await, listed("i:1 i:2 i:3"));
    replace(
        &store,
        &scope,
        ("id", "pr:1"),
        vec![pull_request("pr:1", "a", "OPEN")],
    )
    .await;
    assert_eq!(stale(&store, &place).await, listed("i:1 i:2"));
    replace::<pull_request::Model>(&store, &scope, ("id", "pr:1"), Vec::new()).await;
    assert_eq!(stale(&store, &place).await, listed("i:1 i:2"));
    replace::<pull_request_issue::Model>(&store, &scope, ("issue_id", "i:3"), Vec::new()).await;
    assert_eq!(stale(&store, &place).await, listed("i:3"));
}

#[rstest]
#[tokio::test]
async fn what_a_statement_does_not_know_makes_everything_stale(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(temp) = TempStore::on(on).await else {
        return;
    };
    let scope = rocket();
    let written = |author: &str| {
        let mut rows = Rows::default();
        rows.push(commit::Model {
            sha: "aa".to_owned(),
            author_id: author.to_owned(),
            ..commit::Model::default()
        });
        rows
    };
    for (input, over, counts, removal) in [
        // The key of the table is the same before and after.
        (
            Input::key::<commit::Entity>("sha"),
            listed("aa"),
            listed("aa"),
            listed("aa"),
        ),
        // Who wrote a commit is not read before it is written over, or removed.
        (
            Input::key::<commit::Entity>("author_id"),
            everything(),
            everything(),
            everything(),
        ),
        (
            Input::key::<commit::Entity>("sha").of_columns(&["author_id"]),
            listed("aa"),
            nothing(),
            listed("aa"),
        ),
    ] {
        let store = temp.following(vec![derivation(Reach::Scope, vec![input])]);
        settle(&store, &scope).await;
        let mut page = store.begin(&scope, second(1)).await.unwrap();
        page.write_rows(written("ann")).await.unwrap();
        page.commit().await.unwrap();
        assert_eq!(stale(&store, &scope).await, over);
        let shas = ["aa".to_owned()];
        let mut page = store.begin(&scope, second(1)).await.unwrap();
        page.uncount_commits(&shas).await.unwrap();
        page.commit().await.unwrap();
        assert_eq!(stale(&store, &scope).await, counts);
        let mut page = store.begin(&scope, second(1)).await.unwrap();
        page.remove_commits(&shas).await.unwrap();
        page.commit().await.unwrap();
        assert_eq!(stale(&store, &scope).await, removal);
    }
}

fn of_merged(change: &RowChange<'_>) -> Stale {
    if change.may_be("status", "MERGED") {
        change.work(STEP, "id")
    } else {
        Stale::Nothing
    }
}

#[rstest]
#[tokio::test]
async fn a_function_says_what_a_change_means_and_a_whole_table_counts_as_a_whole(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(temp) = TempStore::on(on).await else {
        return;
    };
    let (scope, own) = (rocket(), ("id", "pr:1"));
    let following = Input::following::<pull_request::Entity>(of_merged);
    let store = temp.following(vec![derivation(Reach::Scope, vec![following])]);
    settle(&store, &scope).await;
    replace(&store, &scope, own, vec![pull_request("pr:1", "a", "OPEN")]).await;
    assert_eq!(stale(&store, &scope).await, nothing());
    replace(
        &store,
        &scope,
        own,
        vec![pull_request("pr:1", "a", "MERGED")],
    )
    .await;
    assert_eq!(stale(&store, &scope).await, listed("pr:1"));
    let whole = Input::whole::<pull_request::Entity>().and_steps(&["convert:further"]);
    let store = temp.following(vec![derivation(Reach::Scope, vec![whole])]);
    let further = Checkpoint {
        rules: "v1".to_owned(),
        ..Checkpoint::default()
    };
    let page = store.begin(&scope, second(1)).await.unwrap();
    page.set_checkpoint("convert:further", &further)
        .await
        .unwrap();
    page.commit().await.unwrap();
    replace(
        &store,
        &scope,
        own,
        vec![pull_request("pr:1", "a", "MERGED")],
    )
    .await;
    assert_eq!(stale(&store, &scope).await, nothing(), "the same row");
    assert_eq!(
        store.checkpoint(&scope, "convert:further").await.unwrap(),
        further
    );
    replace(&store, &scope, own, vec![pull_request("pr:1", "a", "OPEN")]).await;
    assert_eq!(stale(&store, &scope).await, everything());
    let after = store.checkpoint(&scope, "convert:further").await.unwrap();
    assert_ne!(after.rules, "v1");
    // What a derivation writes is nothing new to it.
    let mut rows = Rows::default();
    rows.push(pull_request("pr:1", "b", "OPEN"));
    let page = store.begin(&scope, second(1)).await.unwrap();
    let mut page = page.deriving("test");
    page.write_rows(rows).await.unwrap();
    page.commit().await.unwrap();
    assert_eq!(stale(&store, &scope).await, nothing());
}

#[rstest]
#[tokio::test]
async fn a_key_that_changes_while_it_is_computed_comes_again(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
    #[values(Reach::Scope, Reach::Everywhere)] reach: Reach,
) {
    let Some(temp) = TempStore::on(on).await else {
        return;
    };
    let declared = derivation(
        reach,
        vec![Input::key::<pull_request::Entity>("base_repo_id")],
    );
    let store = temp.following(vec![declared.clone()]);
    let cancel = CancellationToken::new();
    let context = StepContext {
        now: second(1),
        cancel: &cancel,
        progress: &|_| {},
    };
    let place = match reach {
        Reach::Scope => rocket(),
        Reach::Everywhere => Scope::everywhere(),
    };
    let take = || store.take_keys(&place, STEP, 9, &context);
    let change = async |status: &str| {
        let row = pull_request("pr:1", "a", status);
        replace(&store, &rocket(), ("id", "pr:1"), vec![row]).await;
    };
    let finish = async |keys: &[String]| {
        let page = store.begin(&place, second(1)).await.unwrap();
        page.finish_taken(STEP, keys).unwrap();
        page.commit().await.unwrap();
    };
    let has_work = async || store.has_keys_to_compute(&place, STEP, "v1").await.unwrap();
    // Rows that were there before, and keys that rows were written for before.
    change("OPEN").await;
    let mut person = Rows::default();
    person.push(account::Model {
        id: "gone".to_owned(),
        ..account::Model::default()
    });
    let mut page = store.begin(&rocket(), second(1)).await.unwrap();
    page.write_rows(person).await.unwrap();
    page.commit().await.unwrap();
    assert!(has_work().await);
    store
        .list_all_keys(&place, &declared, "v1", &context)
        .await
        .unwrap();
    let own = if reach == Reach::Everywhere {
        vec!["a", "gone"]
    } else {
        vec!["a"]
    };
    let taken = take().await.unwrap();
    assert!(
        own.iter().all(|key| taken.contains(&(*key).to_owned())),
        "{taken:?}"
    );
    // Killed here: they come again.
    assert_eq!(take().await.unwrap(), taken);
    assert!(has_work().await);
    change("MERGED").await;
    finish(&taken).await;
    assert!(has_work().await, "it changed meanwhile");
    assert_eq!(take().await.unwrap(), ["a"]);
    finish(&["a".to_owned()]).await;
    assert!(!has_work().await);
    assert!(take().await.unwrap().is_empty());
    // Under other rules everything is listed again.
    assert!(store.has_keys_to_compute(&place, STEP, "v2").await.unwrap());
    store
        .list_all_keys(&place, &declared, "v2", &context)
        .await
        .unwrap();
    assert_eq!(take().await.unwrap(), taken);
}
