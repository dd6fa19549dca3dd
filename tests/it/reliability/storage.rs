//! Where the database cannot be written: a full disk, a file or a server that only lets read.

use std::process::{Command, Output};

use headwater_simulator::Simulator;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use sea_orm::ConnectionTrait as _;

use super::installation::Installation;
use super::worlds::small;

/// The database's name, as a message shows it.
const FILE: &str = "headwater.db";

/// Fails unless the program said, with exit 6, which database it was and what to do.
pub(super) fn assert_told(done: &Output, database: &str, next_step: &str) {
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(6), "{said}");
    assert!(said.contains(database), "{database} is not named: {said}");
    assert!(said.contains(next_step), "no {next_step:?}: {said}");
}

/// Whether this process may mount something that no other process sees.
fn may_mount() -> bool {
    let tried = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs -o size=64k none /mnt",
        ])
        .output();
    let may = tried.is_ok_and(|done| done.status.success());
    if !may {
        println!("skipped: this user may not mount file systems");
    }
    may
}

async fn assert_recovers(installation: &Installation, simulator: &Simulator) {
    let done = installation.run(&["sync"]).await;
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{said}");
    installation.assert_equals_a_first_sync(simulator).await;
}

/// Runs a shell script in which `$1` is the program and `$2` the folder of the installation; what
/// it mounts is gone with it.
async fn in_own_mounts(installation: &Installation, script: &str) -> Output {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(env!("CARGO_BIN_EXE_headwater"))
        .arg(installation.folder.path())
        .current_dir(installation.folder.path())
        .env_remove("HEADWATER_CONFIG")
        .env_remove("RUST_LOG");
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// A script that mounts a small disk for the database, leaves so much room on it, syncs, makes room
/// and syncs again. The database is beside the configuration in the end.
fn on_a_full_disk(migrated: bool, kibibytes: u32) -> String {
    let migrate = if migrated {
        "headwater migrate >&2"
    } else {
        ":"
    };
    format!(
        "headwater() {{ \"$program\" --config headwater.toml --database sqlite:disk/{FILE} \"$@\"; }}
         program=$1
         set -e
         mkdir -p disk
         mount -t tmpfs -o size=24m none disk
         {migrate}
         head -c 24m /dev/zero > disk/filler 2>/dev/null || true
         truncate -s -{kibibytes}K disk/filler
         set +e
         headwater sync 2>&1
         echo \"first: $?\"
         rm disk/filler
         headwater sync >&2
         echo \"second: $?\"
         cp disk/{FILE} ."
    )
}

/// What is in the file is whole.
fn assert_whole(installation: &Installation) {
    let file = installation.folder.path().join(FILE);
    let connection = rusqlite::Connection::open(file).unwrap();
    let checked = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    let checked: String = checked.unwrap();
    assert_eq!(checked, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_the_next_sync_with_room_goes_on() {
    if !may_mount() {
        return;
    }
    let simulator = small(1).await;
    // While the schema is made, and at several points of the sync.
    for (migrated, kibibytes) in [(false, 600), (true, 64), (true, 400), (true, 900)] {
        let mut installation = Installation::new(Sqlite, &simulator).await.unwrap();
        let script = on_a_full_disk(migrated, kibibytes);
        let done = in_own_mounts(&installation, &script).await;
        let said = String::from_utf8_lossy(&done.stdout);
        println!("{kibibytes} KiB left: {said}");
        assert!(said.contains("first: 6"), "{said}");
        assert!(said.contains("disk/headwater.db"), "{said}");
        assert!(said.contains("check that its disk has room"), "{said}");
        assert!(
            said.contains("second: 0"),
            "{said}{}",
            String::from_utf8_lossy(&done.stderr)
        );
        assert_whole(&installation);
        installation.use_own_file(FILE);
        installation.assert_equals_a_first_sync(&simulator).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_only_lets_read_is_told_and_stays_as_it_is() {
    if !may_mount() {
        return;
    }
    let simulator = small(1).await;
    let mut installation = Installation::new(Sqlite, &simulator).await.unwrap();
    installation.use_own_file(FILE);
    let done = installation.run(&["sync"]).await;
    assert_eq!(done.status.code(), Some(0));
    let file = installation.folder.path().join(FILE);
    let before = std::fs::read(&file).unwrap();
    let script = format!(
        "mount --bind . . && mount -o remount,bind,ro . && cd \"$2\" && \
         exec \"$1\" --config headwater.toml --database sqlite:{FILE} sync"
    );
    let done = in_own_mounts(&installation, &script).await;
    assert_told(&done, FILE, "to be writable");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    installation.assert_equals_a_first_sync(&simulator).await;
    assert_recovers(&installation, &simulator).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_lets_read_is_told_and_stays_as_it_is(
    #[values(Postgres, MariaDb)] on: On,
) {
    let simulator = small(1).await;
    let Some(mut installation) = Installation::new(on, &simulator).await else {
        return;
    };
    let done = installation.run(&["sync"]).await;
    assert_eq!(done.status.code(), Some(0));
    let (name, reader) = (
        installation.database_name(),
        format!("reader_{}", std::process::id()),
    );
    let store = on.open(&installation.database.address).await;
    let owner = store.connection();
    let run = async |sql: String| owner.execute_unprepared(&sql).await.map(|_| ());
    let writable = installation.address.clone();
    if on == Postgres {
        let sql = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
        run(sql).await.unwrap();
    } else {
        // A user who may read, and nothing else.
        if run(format!("CREATE USER {reader}@'%'")).await.is_err() {
            println!("skipped: the user of the tests may not make others");
            return;
        }
        let granted = run(format!("GRANT SELECT ON {name}.* TO {reader}@'%'")).await;
        if granted.is_err() {
            run(format!("DROP USER {reader}@'%'")).await.unwrap();
            println!("skipped: the user of the tests may not let others read");
            return;
        }
        installation.address = writable.replacen("headwater@", &format!("{reader}@"), 1);
    }
    {
        let mut world = simulator.world();
        let user = world.users()[0].id;
        world.rename_user(user, "Somebody Else").unwrap();
    }
    let done = installation.run(&["sync"]).await;
    if on == Postgres {
        run(format!(
            "ALTER DATABASE {name} RESET default_transaction_read_only"
        ))
        .await
        .unwrap();
    } else {
        run(format!("DROP USER {reader}@'%'")).await.unwrap();
    }
    assert_told(&done, &name, "may write");
    installation.address = writable;
    let done = installation.run(&["sync", "--full"]).await;
    assert_eq!(done.status.code(), Some(0));
    installation.assert_equals_a_first_sync(&simulator).await;
}
