//! Mirrors over smart HTTP, with a server that breaks off, stalls, or knows no filters.

use headwater_git::fixture::{Server, Trouble};
use headwater_git::{Credentials, GitErrorKind};

use super::super::{MirrorErrorKind, Notice};
use super::*;

/// A situation whose source is also served over HTTP.
struct Web {
    now: MirrorCase,
    server: Server,
}

impl Web {
    async fn new() -> Self {
        let now = MirrorCase::with_history().await;
        let server = Server::start(now.source.path().parent().unwrap());
        Self { now, server }
    }

    fn task(&self, depth: Depth) -> Task {
        let address = format!("{}source.git", self.server.address);
        let url = RemoteUrl::parse(&address, Paths::Refused).unwrap();
        let credentials = Credentials::AccessToken {
            token: "hunter2-token".into(),
        };
        let remote = Remote {
            credentials,
            ..Remote::new(url)
        };
        task(SCOPE, remote, depth)
    }

    async fn collect(&self, depth: Depth) -> Result<FetchedMirror, MirrorError> {
        self.now
            .mirrors(PLENTY)
            .collect(&self.task(depth), &go_on())
            .await
    }

    async fn collect_like_fresh(&self, depth: Depth) -> FetchedMirror {
        let outcome = self.collect(depth).await.unwrap();
        self.now.is_like_fresh(&outcome.mirror.path(), depth).await;
        outcome
    }

    /// How often each kind of request arrived.
    fn posts(&self) -> usize {
        let requests = self.server.requests();
        requests
            .iter()
            .filter(|head| head.starts_with("GET "))
            .count()
    }
}

#[tokio::test]
async fn an_unchanged_repository_costs_two_small_requests_over_http() {
    let web = Web::new().await;
    let first = web.collect_like_fresh(Depth::Graph).await;
    assert_eq!(usize::try_from(first.requests).unwrap(), web.posts());
    drop(first);
    let before = web.server.requests().len();
    let outcome = web.collect(Depth::Graph).await.unwrap();
    assert!(!outcome.moved && outcome.requests == 1);
    assert_eq!(web.server.requests().len(), before + 2);
}

#[tokio::test]
async fn the_secret_is_in_no_file_of_the_mirror_and_neither_is_the_address() {
    let web = Web::new().await;
    drop(web.collect(Depth::Graph).await.unwrap());
    for file in files(web.now.folder.path()) {
        let content = std::fs::read(&file).unwrap();
        let content = String::from_utf8_lossy(&content);
        assert!(!content.contains("hunter2"), "{}", file.display());
        assert!(!content.contains(&web.server.address), "{}", file.display());
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_is_a_failure_and_the_next_run_goes_on() {
    for cut in [0, 100, 400] {
        let mut web = Web::new().await;
        web.server.make(Trouble::CutPack(cut));
        let error = web.collect(Depth::Graph).await.unwrap_err();
        let MirrorErrorKind::Git(git) = &error.kind else {
            panic!("{error}")
        };
        assert_eq!(git.kind, GitErrorKind::Network, "{error}");
        assert!(!web.now.place().join("mirror.git").exists());
        nothing_temporary_stays(web.now.folder.path());

        web.server.make(Trouble::None);
        drop(web.collect_like_fresh(Depth::Graph).await);
        web.now.source.commit("main", "more", &[("x", "y")]);
        web.server.make(Trouble::CutPack(cut));
        let before = refs(&web.now.place().join("mirror.git"));
        web.collect(Depth::Graph).await.unwrap_err();
        assert_eq!(refs(&web.now.place().join("mirror.git")), before);
        nothing_temporary_stays(web.now.folder.path());
        web.server.make(Trouble::None);
        let outcome = web.collect_like_fresh(Depth::Graph).await;
        assert!(outcome.moved && !outcome.cloned);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_answer_never_empties_a_mirror() {
    let web = Web::new().await;
    drop(web.collect(Depth::Graph).await.unwrap());
    let before = refs(&web.now.place().join("mirror.git"));
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n",
    ] {
        web.server.make(Trouble::Always(answer.as_bytes().to_vec()));
        let error = web.collect(Depth::Graph).await.unwrap_err();
        assert!(
            matches!(error.kind, MirrorErrorKind::Git(_)),
            "{answer:?}: {error}"
        );
        assert_eq!(refs(&web.now.place().join("mirror.git")), before);
    }
}

#[tokio::test]
async fn a_cancelled_clone_ends_at_once_and_leaves_nothing() {
    let web = Web::new().await;
    web.server.make(Trouble::StallPack(200));
    let cancel = go_on();
    let (mirrors, task) = (web.now.mirrors(PLENTY), web.task(Depth::Graph));
    let collecting = mirrors.collect(&task, &cancel);
    let cancelling = async {
        until(|| web.server.is_stalling()).await;
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(collecting, cancelling);
    let error = outcome.unwrap_err();
    assert!(matches!(error.kind, MirrorErrorKind::Cancelled), "{error}");
    assert!(!web.now.place().join("mirror.git").exists());
    nothing_temporary_stays(web.now.folder.path());
}

/// The part of the tests below that is killed: collects what the environment names.
#[tokio::test]
async fn collects_for_another_test_that_kills_it() {
    let Ok(address) = std::env::var("HEADWATER_KILLED_ADDRESS") else {
        return;
    };
    let folder = PathBuf::from(std::env::var("HEADWATER_KILLED_FOLDER").unwrap());
    let git = Git::find(None).await.unwrap();
    let url = RemoteUrl::parse(&address, Paths::Refused).unwrap();
    let task = task(SCOPE, Remote::new(url), Depth::Graph);
    let _ = Mirrors::new(git, folder, PLENTY)
        .collect(&task, &go_on())
        .await;
}

impl Web {
    /// Starts a process that collects, and kills it while the server stalls. Returns the git
    /// process that it left behind.
    async fn kill_a_collection(&self) -> PathBuf {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "git::tests::web::collects_for_another_test_that_kills_it",
        ]);
        child.env(
            "HEADWATER_KILLED_ADDRESS",
            format!("{}source.git", self.server.address),
        );
        child.env(
            "HEADWATER_KILLED_FOLDER",
            self.now.folder.path().join("mirrors"),
        );
        child.stdout(std::process::Stdio::null());
        let mut child = child.kill_on_drop(true).spawn().unwrap();
        until(|| self.server.is_stalling()).await;
        // Notes which git works for it.
        until(|| self.now.place().join("child").exists()).await;
        child.kill().await.unwrap();
        let note = std::fs::read_to_string(self.now.place().join("child")).unwrap();
        let orphan = Path::new("/proc").join(note.split(' ').next().unwrap());
        assert!(orphan.exists());
        orphan
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn after_a_kill_in_a_clone_the_next_run_equals_a_fresh_clone() {
    let web = Web::new().await;
    web.server.make(Trouble::StallPack(300));
    let orphan = web.kill_a_collection().await;
    assert!(web.now.place().join("incoming.git").exists());
    web.server.make(Trouble::None);
    let outcome = web.collect_like_fresh(Depth::Graph).await;
    assert!(has_ended(&orphan));
    assert!(outcome.cloned && outcome.notices.is_empty(), "{outcome:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn after_a_kill_in_a_fetch_the_next_run_equals_a_fresh_clone() {
    let mut web = Web::new().await;
    drop(web.collect(Depth::Graph).await.unwrap());
    web.now.source.commit("main", "more", &[("x", "y")]);
    web.now.source.git(&["update-ref", "-d", "refs/heads/side"]);
    web.server.make(Trouble::StallPack(300));
    let orphan = web.kill_a_collection().await;
    let place = web.now.place();
    assert!(place.join("unfinished").exists());
    let mirrors = web.now.mirrors(PLENTY);
    web.server.make(Trouble::None);
    let outcome = web.collect_like_fresh(Depth::Graph).await;
    assert!(outcome.moved && !outcome.cloned, "{outcome:?}");
    assert!(has_ended(&orphan));
    drop(outcome);
    let time = web.task(Depth::Graph).now;
    assert!(
        mirrors
            .read(9, "plain", SCOPE, time, &go_on())
            .await
            .unwrap()
            .is_some()
    );
}

/// Whether a process is gone, or only its parent has not asked yet.
#[cfg(target_os = "linux")]
fn has_ended(process: &Path) -> bool {
    let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

#[tokio::test]
async fn a_clone_that_outgrows_the_quota_is_stopped_while_it_runs() {
    let mut web = Web::new().await;
    // Numbers that do not compress.
    let mut state = 7_u64;
    let noise = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{:08x}", state >> 32)
    });
    let noise = noise.take(100_000).collect::<String>();
    web.now.source.commit("main", "noise", &[("noise", &noise)]);
    web.server.make(Trouble::StallPack(300_000));
    let mirrors = web.now.mirrors(200_000);
    let error = mirrors
        .collect(&web.task(Depth::Full), &go_on())
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind, MirrorErrorKind::TooLarge { .. }),
        "{error}"
    );
    nothing_temporary_stays(web.now.folder.path());
}

#[tokio::test]
async fn a_server_without_filters_gives_everything_and_that_is_told() {
    for trouble in [
        Trouble::NoFilters,
        Trouble::RefusedFilter("tree"),
        Trouble::RefusedFilter("blob"),
    ] {
        let mut web = Web::new().await;
        web.now
            .source
            .commit("main", "names", &[(".mailmap", "Ada <ada@example.com>")]);
        web.server.make(trouble.clone());
        let outcome = web.collect(Depth::Graph).await.unwrap();
        let told = outcome.notices.contains(&Notice::NoFilter);
        assert_eq!(
            told,
            trouble == Trouble::NoFilters,
            "{trouble:?}: {:?}",
            outcome.notices
        );
        let depth = if told { Depth::Full } else { Depth::Graph };
        assert_eq!(outcome.mirror.depth(), depth, "{trouble:?}");
        assert_eq!(
            content(&outcome.mirror.path(), Depth::Graph).0,
            refs(web.now.source.path())
        );
        drop(outcome);
        web.now.source.commit("main", "more", &[("x", "y")]);
        let again = web.collect(Depth::Graph).await.unwrap();
        assert!(again.moved && !again.cloned, "{trouble:?}");
        assert_eq!(again.mirror.depth(), depth);
        web.now.is_like_fresh(&again.mirror.path(), depth).await;
    }
}

#[tokio::test]
async fn the_progress_of_a_transfer_is_told() {
    let web = Web::new().await;
    let told: std::sync::Arc<std::sync::Mutex<Vec<headwater_git::Progress>>> =
        std::sync::Arc::default();
    let keep = std::sync::Arc::clone(&told);
    let watch: super::super::Watch =
        std::sync::Arc::new(move |progress| keep.lock().unwrap().push(progress));
    let task = Task {
        watch: Some(watch),
        ..web.task(Depth::Full)
    };
    drop(
        web.now
            .mirrors(PLENTY)
            .collect(&task, &go_on())
            .await
            .unwrap(),
    );
    let told = told.lock().unwrap();
    let last = told
        .iter()
        .rfind(|progress| progress.phase == "Receiving objects")
        .unwrap();
    assert!(last.done > 0 && last.total == Some(last.done), "{told:?}");
}
