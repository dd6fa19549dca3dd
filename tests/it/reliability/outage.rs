//! Databases that go away for a while and come back.

use std::sync::Arc;
use std::time::Duration;

use headwater_simulator::Simulator;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rstest::rstest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::installation::Installation;
use super::is_soak;
use super::storage::assert_told;
use super::worlds::{change, small};

/// How long a server is away, or a file is held: ten seconds in the long form.
fn away() -> Duration {
    if is_soak() {
        Duration::from_secs(10)
    } else {
        Duration::from_millis(1500)
    }
}

/// The way to a server, which can be cut and mended.
struct Way {
    address: std::net::SocketAddr,
    server: String,
    open: Option<(watch::Sender<bool>, AbortOnDropHandle<()>)>,
}

impl Way {
    async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut way = Self {
            address: listener.local_addr().unwrap(),
            server: server.to_owned(),
            open: None,
        };
        way.lead(listener);
        way
    }

    fn lead(&mut self, listener: TcpListener) {
        let (cut, is_cut) = watch::channel(false);
        let server = self.server.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut is_cut = is_cut.clone();
                let server = server.clone();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = is_cut.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        self.open = Some((cut, AbortOnDropHandle::new(task)));
    }

    /// Ends every connection and refuses others.
    async fn cut(&mut self) {
        if let Some((cut, task)) = self.open.take() {
            task.abort();
            // The listener is gone when the task is.
            let _ = task.await;
            cut.send_replace(true);
        }
    }

    async fn mend(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.lead(listener);
    }
}

/// An installation that reaches its server by a way that can be cut.
async fn by_a_way(on: On, simulator: &Simulator) -> Option<(Installation, Way)> {
    let mut installation = Installation::new(on, simulator).await?;
    let address = installation.database.address.clone();
    let (_, after) = address.split_once('@').unwrap();
    let (server, _) = after.split_once('/').unwrap();
    let way = Way::to(server).await;
    installation.address = address.replacen(server, &way.address.to_string(), 1);
    Some((installation, way))
}

async fn ended<T>(task: &tokio::task::JoinHandle<T>) {
    while !task.is_finished() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Completes when that many requests have arrived from now on.
fn request(simulator: &Simulator, number: u64) -> impl Future<Output = ()> + use<> {
    let (sender, mut arrived) = watch::channel(0_u64);
    simulator.set_faults(Some(Arc::new(move |_| {
        sender.send_modify(|count| *count += 1);
        None
    })));
    async move {
        let _ = arrived.wait_for(|count| *count >= number).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_told_and_the_next_sync_goes_on(
    #[values(Postgres, MariaDb)] on: On,
) {
    let simulator = small(1).await;
    let Some((installation, mut way)) = by_a_way(on, &simulator).await else {
        return;
    };
    let name = installation.database_name();
    let mut told = 0;
    for number in [2, 8, 12, 5] {
        change(&simulator, &mut StdRng::seed_from_u64(number), 30);
        let reached = request(&simulator, number);
        let mut command = installation.command(&["sync"]);
        let running = tokio::task::spawn_blocking(move || command.output().unwrap());
        tokio::select! {
            () = reached => {}
            // Fewer requests were left to make.
            () = ended(&running) => {}
        }
        way.cut().await;
        tokio::time::sleep(away()).await;
        way.mend().await;
        let done = running.await.unwrap();
        if done.status.code() == Some(0) {
            // It had nothing left to write.
            continue;
        }
        told += 1;
        assert_told(&done, &name, "check that the server runs");
    }
    assert!(told >= 2, "only {told} syncs noticed");
    simulator.set_faults(None);
    installation.a_day_passes().await;
    let done = installation.run(&["sync"]).await;
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{said}");
    installation.assert_equals_a_first_sync(&simulator).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_waits_for_a_server_that_is_about_to_come_back(#[values(Postgres, MariaDb)] on: On) {
    let simulator = small(1).await;
    let Some((installation, mut way)) = by_a_way(on, &simulator).await else {
        return;
    };
    way.cut().await;
    let mut command = installation.command(&["sync"]);
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    tokio::time::sleep(away()).await;
    way.mend().await;
    let done = running.await.unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{said}");
    installation.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_waits_for_a_file_that_another_program_holds() {
    let simulator = small(1).await;
    let installation = Installation::new(Sqlite, &simulator).await.unwrap();
    let made = installation.run(&["migrate"]).await;
    assert!(made.status.success());
    let path = installation.address.strip_prefix("sqlite:").unwrap();
    let other = rusqlite::Connection::open(path).unwrap();
    other.busy_timeout(Duration::from_secs(30)).unwrap();
    let reached = request(&simulator, 5);
    let mut command = installation.command(&["sync"]);
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    tokio::time::timeout(Duration::from_mins(1), reached)
        .await
        .unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    tokio::time::sleep(away()).await;
    other.execute_batch("ROLLBACK").unwrap();
    let done = running.await.unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{said}");
    drop(other);
    installation.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_away_is_told_and_the_next_sync_goes_on() {
    let simulator = small(1).await;
    let mut installation = Installation::new(Sqlite, &simulator).await.unwrap();
    let folder = installation.folder.path().join("data");
    let aside = installation.folder.path().join("aside");
    std::fs::create_dir(&folder).unwrap();
    installation.use_own_file("data/headwater.db");
    let done = installation.run(&["sync"]).await;
    assert_eq!(done.status.code(), Some(0));
    std::fs::rename(&folder, &aside).unwrap();
    let done = installation.run(&["sync"]).await;
    assert_told(&done, "data/headwater.db", "has to be there");
    assert!(!folder.exists());
    std::fs::rename(&aside, &folder).unwrap();
    let done = installation.run(&["sync"]).await;
    assert_eq!(done.status.code(), Some(0));
    installation.assert_equals_a_first_sync(&simulator).await;
}
