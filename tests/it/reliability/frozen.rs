//! A real process that is stopped in the middle of its work, and another one that meets what it
//! holds.

use std::process::Output;
use std::time::{Duration, Instant};

use headwater::exit::Exit;
use headwater::sources::Sources;
use headwater_simulator::Simulator;
use headwater_store::{Limits, Store};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use tokio_util::sync::CancellationToken;

use super::installation::{Installation, Running};
use super::kill::Eye;
use super::worlds::paged;
use crate::lake::{self, ALL, How, Lake};

/// A statement waits half a minute for a lock, and a whole run hardly longer; a busy machine may be
/// late.
const BOUND: Duration = Duration::from_mins(1);

/// Starts a sync and stops it while a transaction with changes is open.
async fn frozen_while_it_writes(installation: &Installation, eye: &Eye) -> Running {
    for _ in 0..20 {
        let running = Running::start(installation, &["sync"]);
        while running.stop() {
            if eye.sees_rows_written().await {
                return running;
            }
            running.go_on();
            tokio::time::sleep(Duration::from_micros(700)).await;
        }
    }
    panic!("no sync was stopped while it wrote");
}

fn said(done: &Output) -> String {
    let all = [done.stdout.as_slice(), done.stderr.as_slice()].concat();
    String::from_utf8_lossy(&all).into_owned()
}

async fn installed(on: On) -> Option<(Simulator, Installation, Eye)> {
    let simulator = paged(3).await;
    let installation = Installation::new(on, &simulator).await?;
    let made = installation.run(&["migrate"]).await;
    assert!(made.status.success());
    let eye = Eye::open(&installation).await;
    Some((simulator, installation, eye))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn beside_a_sync_that_is_frozen_while_it_writes_another_ends_with_7_and_names_it(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some((simulator, installation, eye)) = installed(on).await else {
        return;
    };
    let frozen = frozen_while_it_writes(&installation, &eye).await;
    let began = Instant::now();
    let second = installation.run(&["sync"]).await;
    let took = began.elapsed();
    let shown = said(&second);
    assert_eq!(second.status.code(), Some(7), "{shown}");
    let named = format!("process {}", frozen.id);
    assert!(shown.contains(&named), "{named} is not named: {shown}");
    assert!(took < BOUND, "it took {took:?}: {shown}");
    frozen.go_on();
    let code = frozen.exit_code().await;
    assert_eq!(code, Some(0), "{}", frozen.said());
    installation.assert_equals_a_first_sync(&simulator).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_frozen_until_its_lease_was_lost_writes_nothing(
    #[values(Postgres, MariaDb)] on: On,
) {
    let Some((simulator, installation, eye)) = installed(on).await else {
        return;
    };
    let frozen = frozen_while_it_writes(&installation, &eye).await;
    // What the server does after a minute.
    eye.end_transactions().await;
    eye.execute("UPDATE _headwater_leases SET expires_at = 0")
        .await;
    let second = installation.run(&["sync"]).await;
    assert_eq!(second.status.code(), Some(0), "{}", said(&second));
    let before = eye.rows().await;
    frozen.go_on();
    let code = frozen.exit_code().await;
    assert_eq!(code, Some(7), "{}", frozen.said());
    assert_eq!(eye.rows().await, before, "it wrote after it was overtaken");
    installation.assert_equals_a_first_sync(&simulator).await;
}

/// A store of the lake's database that does not wait long for locks.
async fn impatient(lake: &Lake) -> Store {
    let address = lake.address.expose();
    let limits = Limits {
        lock_wait: Duration::from_secs(1),
        ..Limits::default()
    };
    let opened = match lake.database_kind() {
        Postgres => Store::open_postgres_within(address, limits).await,
        _ => Store::open_mysql_within(address, limits).await,
    };
    Sources::all().followed_by(&opened.unwrap())
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whichever_lock_is_not_let_go_a_sync_ends_with_7(
    #[values(Postgres, MariaDb)] on: On,
    #[values(
        ("_headwater_credentials", "latest"),
        ("_headwater_scopes", "seq"),
        ("accounts", "full_name"),
        ("pull_requests", "title")
    )]
    (table, column): (&str, &str),
) {
    let simulator = lake::tiny().await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    {
        let mut world = simulator.world();
        let by = world.users()[0].id;
        world.rename_user(by, "Another Name").unwrap();
        let slugs: Vec<String> = world
            .repositories()
            .iter()
            .map(|it| it.slug.clone())
            .collect();
        for slug in slugs {
            // An empty repository refuses.
            let _ = world.create_pull_request(&slug, Some(by), "New", "");
        }
    }
    // Of a process that does not go on: the server does not know that it is frozen.
    let other = lake.opened_again().await;
    let holder = other.connection().begin().await.unwrap();
    let held = format!("UPDATE {table} SET {column} = {column}");
    holder.execute_unprepared(&held).await.unwrap();
    let store = impatient(&lake).await;
    let began = Instant::now();
    let full = How { full: true };
    let done = lake
        .try_sync_on(&store, full, CancellationToken::new())
        .await;
    let exit = match &done {
        Ok((exit, _)) => *exit,
        Err(failure) => failure.exit,
    };
    let took = began.elapsed();
    assert_eq!(exit, Exit::Leased, "{done:?}");
    assert!(took < Duration::from_secs(20), "it took {took:?}");
    holder.rollback().await.unwrap();
    let (exit, _) = lake.sync(full).await;
    assert_eq!(exit, Exit::Ok);
    lake.assert_equals_a_first_sync(&simulator).await;
}
