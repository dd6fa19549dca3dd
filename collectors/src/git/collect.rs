//! The collection step of one scope: nothing, a fetch, or a clone.

use headwater_git::{Advertised, GitError, GitErrorKind, Head, Scheme};
use tokio_util::sync::CancellationToken;

use super::error::{MirrorError, MirrorErrorKind};
use super::fetch::{Fetch, Fetched};
use super::left_out::{Exclusions, LeftOut};
use super::lock::{For, Lock};
use super::orphans::Note;
use super::place::Place;
use super::quota::Room;
use super::state::State;
use super::{Depth, FetchedMirror, Mirror, Mirrors, Notice, Task};
use super::{disk, health, mailmap, mirror};

/// How many packs a mirror may have before they are joined: each fetch adds one, and git looks
/// for an object in all of them.
const MOST_PACKS: usize = 40;

/// What is done for one scope.
struct Work<'a> {
    mirrors: &'a Mirrors,
    task: &'a Task,
    place: Place,
    room: Room,
    cancel: &'a CancellationToken,
    requests: u64,
    notices: Vec<Notice>,
}

/// What became of the mirror.
struct Done {
    state: State,
    moved: bool,
    cloned: bool,
}

impl Mirrors {
    /// Brings the mirror of a scope up to date. An unchanged one costs one `ls-remote`. Whatever
    /// was interrupted before is mended first, by cloning again if it must be.
    ///
    /// # Errors
    /// When the source cannot be read or there is no room; the mirror stays as it was.
    pub async fn collect(
        &self,
        task: &Task,
        cancel: &CancellationToken,
    ) -> Result<FetchedMirror, MirrorError> {
        let place = Place::of(&self.root, task.connection_id, &task.scope);
        let room = Room {
            root: self.root.clone(),
            quota: self.quota,
            own: place.clone(),
        };
        let mut work = Work {
            mirrors: self,
            task,
            place,
            room,
            cancel,
            requests: 0,
            notices: Vec::new(),
        };
        let done = work.run().await;
        done.map_err(|kind| MirrorError {
            connection: task.connection.clone(),
            scope: task.scope.clone(),
            kind,
            requests: work.requests,
        })
    }
}

impl Work<'_> {
    async fn run(&mut self) -> Result<FetchedMirror, MirrorErrorKind> {
        let patience = self.mirrors.patience;
        let lock = Lock::take(&self.place, For::Writing, patience, self.cancel).await?;
        self.on_disk(health::tidy)?;
        let known = self.known().await?;
        let advertised = self.ask().await?;
        let done = match known {
            Some(state) => self.refresh(state, &advertised).await?,
            None => self.clone(&advertised).await?,
        };
        let mut state = done.state;
        let left_out = state.left_out.clone();
        state.last_used = self.task.now.timestamp_millis();
        state.bytes = disk::size(&self.place.mirror());
        state.write(&self.place.mirror())?;
        let shallow = mirror::shallow(&self.place).len();
        if shallow > 0 {
            self.notices.push(Notice::Shallow(shallow));
        }
        Ok(FetchedMirror {
            moved: done.moved,
            cloned: done.cloned,
            bytes: state.bytes,
            left_out,
            requests: self.requests,
            notices: std::mem::take(&mut self.notices),
            mirror: Mirror {
                git: self.mirrors.git.clone(),
                _lock: lock.share(&self.place)?,
                place: self.place.clone(),
                state,
            },
        })
    }

    /// The mirror that is there already and can be trusted; none if it has to be cloned.
    async fn known(&mut self) -> Result<Option<State>, MirrorErrorKind> {
        if !self.place.mirror().exists() {
            return Ok(None);
        }
        let Some(state) = State::read(&self.place.mirror()) else {
            self.clone_because("it does not say what it is");
            return Ok(None);
        };
        let doubt = health::doubt(&self.mirrors.git, &self.place, &state, self.cancel).await;
        if let Some(why) = doubt.map_err(MirrorErrorKind::of_mirror)? {
            self.clone_because(&why);
            return Ok(None);
        }
        Ok(Some(state))
    }

    /// Asks the source what it has.
    async fn ask(&mut self) -> Result<Advertised, MirrorErrorKind> {
        self.requests += 1;
        let remote = &self.task.remote;
        let note = Note::beside(&self.place);
        let tell = |id| note.child(id);
        let git = &self.mirrors.git;
        let advertised = git.ls_remote_noting(remote, &tell, self.cancel).await;
        let advertised = advertised.map_err(MirrorErrorKind::of_remote)?;
        let web = matches!(remote.url.scheme(), Scheme::Http | Scheme::Https);
        self.requests += u64::from(web && advertised.refs.is_empty());
        Ok(advertised)
    }

    /// Fetches if something moved, and clones where a fetch cannot help.
    async fn refresh(
        &mut self,
        state: State,
        advertised: &Advertised,
    ) -> Result<Done, MirrorErrorKind> {
        let before = match mirror::refs(&self.mirrors.git, &self.place, self.cancel).await {
            Ok(refs) => refs,
            Err(error) => return self.clone_after(error, advertised).await,
        };
        if state.depth == Depth::Graph && self.task.depth == Depth::Full {
            return self.clone(advertised).await;
        }
        if uses_other_hashes(&before, advertised) {
            self.clone_because("the source uses another kind of hash");
            return self.clone(advertised).await;
        }
        let shallow = !mirror::shallow(&self.place).is_empty();
        // What a shallow source has gained shows in no list of refs.
        let excluded = Exclusions::of(advertised, &self.place.mirror(), &state.left_out);
        let is_same = before == excluded.without(advertised) && excluded.listed() == state.left_out;
        if is_same && !shallow && !self.place.unfinished().exists() {
            let (moved, cloned) = (false, false);
            return Ok(Done {
                state,
                moved,
                cloned,
            });
        }
        self.fetch(state, &before, advertised).await
    }

    async fn fetch(
        &mut self,
        mut state: State,
        before: &Advertised,
        advertised: &Advertised,
    ) -> Result<Done, MirrorErrorKind> {
        let edge = mirror::shallow(&self.place);
        self.on_disk(|place| std::fs::write(place.unfinished(), ""))?;
        match self
            .fetch_in_place(&mut state, advertised, !edge.is_empty())
            .await
        {
            Ok(()) => {}
            Err(MirrorErrorKind::Git(error)) if error.kind == GitErrorKind::Corrupt => {
                return self.clone_after(error, advertised).await;
            }
            Err(kind) => {
                self.give_up(before).await?;
                return Err(kind);
            }
        }
        let after = mirror::refs(&self.mirrors.git, &self.place, self.cancel).await;
        let after = after.map_err(MirrorErrorKind::of_mirror)?;
        self.on_disk(|place| disk::remove_file(&place.unfinished()))?;
        let moved = after != *before || edge != mirror::shallow(&self.place);
        let cloned = false;
        Ok(Done {
            state,
            moved,
            cloned,
        })
    }

    /// Removes what a fetch that failed left behind. Where no ref moved, the mirror is what it was;
    /// otherwise the next run finds the marker and looks through it.
    async fn give_up(&self, before: &Advertised) -> Result<(), MirrorErrorKind> {
        self.on_disk(health::tidy)?;
        // The work may have been cancelled, and this has to be done all the same.
        let go_on = CancellationToken::new();
        let refs = mirror::refs(&self.mirrors.git, &self.place, &go_on).await;
        if refs.is_ok_and(|refs| refs == *before) {
            self.on_disk(|place| disk::remove_file(&place.unfinished()))?;
        }
        Ok(())
    }

    /// Fetches into the mirror, within the quota.
    async fn fetch_in_place(
        &mut self,
        state: &mut State,
        advertised: &Advertised,
        shallow: bool,
    ) -> Result<(), MirrorErrorKind> {
        let into = self.place.mirror();
        let place = self.place.clone();
        let excluded = Exclusions::of(advertised, &into, &state.left_out);
        let fetch = Fetch {
            git: &self.mirrors.git,
            task: self.task,
            place: &place,
            into: &into,
            left_out: &excluded,
            cancel: self.cancel,
        };
        let (requests, notices) = (&mut self.requests, &mut self.notices);
        let mut evicted = Vec::new();
        let work = async {
            let fetched = fetch.again(advertised, &state.filter, shallow).await;
            // A failed fetch went to the server too.
            *requests += fetched.as_ref().map_or(1, |fetched| fetched.requests);
            let fetched = fetched.map_err(MirrorErrorKind::of_remote)?;
            if fetched.in_part {
                return Err(MirrorErrorKind::Git(unwritten(&fetch)));
            }
            state.left_out = excluded.listed();
            finish(&fetch, state, advertised, requests, notices).await
        };
        let kept = self.room.keep(into.clone(), &mut evicted, work).await;
        self.notices.append(&mut evicted);
        kept
    }

    /// Clones beside the mirror, if there is one, and takes its place when complete.
    async fn clone(&mut self, advertised: &Advertised) -> Result<Done, MirrorErrorKind> {
        let cloned = self.clone_aside(advertised).await;
        let swapped = cloned.and_then(|state| {
            self.on_disk(swap)?;
            Ok(state)
        });
        match swapped {
            Ok(state) => Ok(Done {
                state,
                moved: true,
                cloned: true,
            }),
            Err(kind) => {
                self.on_disk(|place| disk::remove(&place.incoming()))?;
                Err(kind)
            }
        }
    }

    async fn clone_aside(&mut self, advertised: &Advertised) -> Result<State, MirrorErrorKind> {
        let into = self.place.incoming();
        self.on_disk(|place| std::fs::create_dir_all(place.incoming()))?;
        let place = self.place.clone();
        let excluded = Exclusions::of(advertised, &into, &[]);
        let fetch = Fetch {
            git: &self.mirrors.git,
            task: self.task,
            place: &place,
            into: &into,
            left_out: &excluded,
            cancel: self.cancel,
        };
        let mut state = State {
            connection_id: self.task.connection_id,
            scope: self.task.scope.clone(),
            depth: self.task.depth,
            filter: String::new(),
            mailmap_of: String::new(),
            left_out: Vec::new(),
            last_used: self.task.now.timestamp_millis(),
            bytes: 0,
        };
        let (requests, notices) = (&mut self.requests, &mut self.notices);
        let mut evicted = Vec::new();
        let work = async {
            let init = fetch.init(advertised.uses_sha256()).await;
            init.map_err(MirrorErrorKind::of_mirror)?;
            if !advertised.refs.is_empty() || advertised.head != Head::Unborn {
                first(&fetch, &mut state, advertised, requests, notices).await?;
            }
            finish(&fetch, &mut state, advertised, requests, notices).await?;
            state.bytes = disk::size(&into);
            state.write(&into)?;
            Ok(state)
        };
        let kept = self.room.keep(into.clone(), &mut evicted, work).await;
        self.notices.append(&mut evicted);
        kept
    }

    /// Clones again after a command found the mirror damaged; other failures stay failures.
    async fn clone_after(
        &mut self,
        error: GitError,
        advertised: &Advertised,
    ) -> Result<Done, MirrorErrorKind> {
        if error.kind == GitErrorKind::Cancelled {
            return Err(MirrorErrorKind::Cancelled);
        }
        self.clone_because(&error.to_string());
        self.clone(advertised).await
    }

    fn clone_because(&mut self, why: &str) {
        self.notices.push(Notice::ClonedAgain(why.to_owned()));
    }

    fn on_disk(
        &self,
        act: impl FnOnce(&Place) -> std::io::Result<()>,
    ) -> Result<(), MirrorErrorKind> {
        act(&self.place).map_err(|error| MirrorErrorKind::folder(&self.place.folder, error))
    }
}

/// Puts a complete clone in the place of the mirror.
fn swap(place: &Place) -> std::io::Result<()> {
    disk::remove(&place.outgoing())?;
    if place.mirror().exists() {
        std::fs::rename(place.mirror(), place.outgoing())?;
    }
    std::fs::rename(place.incoming(), place.mirror())?;
    disk::remove_file(&place.unfinished())?;
    disk::remove_file(&place.distrusted())?;
    disk::remove(&place.outgoing())
}

/// Fetches into a new repository and notes what came.
async fn first(
    fetch: &Fetch<'_>,
    state: &mut State,
    advertised: &Advertised,
    requests: &mut u64,
    notices: &mut Vec<Notice>,
) -> Result<(), MirrorErrorKind> {
    let without_files = state.depth == Depth::Graph;
    let fetched = fetch.first(advertised, without_files).await;
    *requests += fetched.as_ref().map_or(1, |fetched| fetched.requests);
    let fetched = fetched.map_err(MirrorErrorKind::of_remote)?;
    state.left_out = left_out(fetch, advertised, &fetched).await?;
    let (filter, unserved) = (fetched.filter, fetched.unserved);
    if !without_files {
        return Ok(());
    }
    filter.unwrap_or_default().clone_into(&mut state.filter);
    notices.extend(match (filter, unserved) {
        (Some(_), None) => None,
        (Some(_), Some(why)) => {
            let holds = "names of files";
            Some(Notice::Fuller { why, holds })
        }
        (None, None) => Some(Notice::NoFilter),
        (None, Some(why)) => {
            let holds = "files";
            Some(Notice::Fuller { why, holds })
        }
    });
    if filter.is_none() {
        state.depth = Depth::Full;
        let kept = keep_promises_no_more(fetch).await;
        kept.map_err(MirrorErrorKind::of_mirror)?;
    }
    Ok(())
}

/// Where a mirror does not take a ref, the mirror may be at fault: a new clone tells.
fn unwritten(fetch: &Fetch<'_>) -> GitError {
    GitError {
        command: "fetch".to_owned(),
        place: fetch.into.display().to_string(),
        kind: GitErrorKind::Corrupt,
        stderr: "some branches or tags could not be written".to_owned(),
    }
}

/// The refs that the repository lacks after a fetch. Where git could write none of them, something
/// else is wrong.
async fn left_out(
    fetch: &Fetch<'_>,
    advertised: &Advertised,
    fetched: &Fetched,
) -> Result<Vec<LeftOut>, MirrorErrorKind> {
    let mut excluded = fetch.left_out.clone();
    if fetched.in_part {
        let written = mirror::refs_in(fetch.git, fetch.into, fetch.cancel).await;
        let written = written.map_err(MirrorErrorKind::of_mirror)?;
        if written.refs.is_empty() {
            return Err(MirrorErrorKind::Git(GitError {
                command: "fetch".to_owned(),
                place: fetch.task.remote.url.to_string(),
                kind: GitErrorKind::Failed("no branch and no tag could be written".to_owned()),
                stderr: String::new(),
            }));
        }
        excluded.add_unwritten(advertised, &written);
    }
    Ok(excluded.listed())
}

/// Takes back what git noted about objects that can be fetched later, since all have come.
async fn keep_promises_no_more(fetch: &Fetch<'_>) -> Result<(), GitError> {
    let section = ["config", "--local", "--remove-section", "remote.origin"];
    match fetch.here().args(section).run(fetch.cancel).await {
        Err(error) if error.kind == GitErrorKind::Cancelled => return Err(error),
        // There is none where the server refused each filter.
        _ => {}
    }
    let packs = std::fs::read_dir(fetch.into.join("objects").join("pack"));
    for entry in packs.into_iter().flatten().flatten() {
        if entry
            .path()
            .extension()
            .is_some_and(|end| end == "promisor")
        {
            // One that stays does no harm without the section.
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// What follows every fetch: HEAD, the mailmap, and few files.
async fn finish(
    fetch: &Fetch<'_>,
    state: &mut State,
    advertised: &Advertised,
    requests: &mut u64,
    notices: &mut Vec<Notice>,
) -> Result<(), MirrorErrorKind> {
    let head = fetch.set_head(&advertised.head).await;
    head.map_err(MirrorErrorKind::of_mirror)?;
    let commit = match &advertised.head {
        Head::Branch(name) => advertised.refs.get(name).map(ToString::to_string),
        Head::Detached(id) => Some(id.to_string()),
        Head::Unborn => None,
    };
    let commit = commit.unwrap_or_else(|| "none".to_owned());
    if state.depth == Depth::Graph && state.mailmap_of != commit {
        let found = mailmap::fetch(fetch, &advertised.head, &state.filter).await;
        let (asked, failure) = found.map_err(MirrorErrorKind::of_mirror)?;
        *requests += asked;
        notices.extend(failure.map(Notice::NoMailmap));
        state.mailmap_of = commit;
    }
    tidy_up(fetch).await.map_err(MirrorErrorKind::of_mirror)
}

/// Keeps the number of files small.
async fn tidy_up(fetch: &Fetch<'_>) -> Result<(), GitError> {
    fetch
        .here()
        .args(["pack-refs", "--all"])
        .run(fetch.cancel)
        .await?;
    let packs = std::fs::read_dir(fetch.into.join("objects").join("pack"));
    let is_pack =
        |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|end| end == "pack");
    let packs = packs
        .into_iter()
        .flatten()
        .flatten()
        .filter(is_pack)
        .count();
    if packs > MOST_PACKS {
        let repack = fetch.here().args(["repack", "-a", "-d", "--quiet"]);
        fetch.noted(repack).await?;
    }
    Ok(())
}

/// Whether hashes of the two have different lengths.
fn uses_other_hashes(before: &Advertised, advertised: &Advertised) -> bool {
    let sha256 = |of: &Advertised| {
        of.refs
            .values()
            .next()
            .map(headwater_git::ObjectId::is_sha256)
    };
    matches!((sha256(before), sha256(advertised)), (Some(one), Some(other)) if one != other)
}
