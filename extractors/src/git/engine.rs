//! From a mirror to tables: what is new is read, what is gone is removed, and how far that went
//! is noted with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_domain::code::git_ref;
use headwater_domain::{Origin, Scope, Table};
use headwater_store::git::{GIT_ORIGIN, GitState, GitTips};
use headwater_store::{Owner, Replacement, StepContext, Store, Transaction};
use tokio_util::sync::CancellationToken;

use super::authors::{self, Addresses};
use super::commit_rows::{CommitBatch, CommitRowsBuilder};
use super::mirror::{Mirror, Refs, feed};
use super::reading::{self, Reading};
use super::sharing::Own;
use super::{ApiAccounts, Authors, ExtractError, GitRules, GitSource, HistoryRead, Stop, refs};

/// Raise it when what is made of a commit changes: then all are read anew.
const VERSION: u32 = 2;

/// Commits that are removed at once.
const PAGE: usize = 256;

/// Brings the tables of a scope up to what its mirror holds.
///
/// # Errors
/// When there is no mirror, git or the database fails, or it is cancelled.
pub async fn run(
    store: &Store,
    scope: &Scope,
    source: &GitSource<'_>,
    rules: &GitRules<'_>,
    context: &StepContext<'_>,
) -> Result<HistoryRead, ExtractError> {
    // Ends every child when this returns.
    let stop = context.cancel.child_token();
    let _ending = stop.clone().drop_guard();
    let mirror = Mirror {
        git: source.git,
        path: source.mirror,
        cancel: &stop,
    };
    let done = prepare((store, scope), (source, rules), &mirror, context).await;
    let done = match done {
        Ok(mut engine) => engine.run(&stop).await,
        Err(stop) => Err(stop),
    };
    done.map_err(|stop| stop.into_error(scope.full_name.clone(), source))
}

/// What is known before the first commit is read.
async fn prepare<'a>(
    (store, scope): (&'a Store, &'a Scope),
    (source, rules): (&'a GitSource<'a>, &'a GitRules<'a>),
    mirror: &Mirror<'_>,
    context: &'a StepContext<'a>,
) -> Result<Engine<'a>, Stop> {
    if !mirror.is_there() {
        return Err(Stop::NoMirror);
    }
    let refs = mirror.refs().await?;
    if refs.tips.iter().any(|tip| tip.len() > 40) {
        return Err(Stop::Sha256);
    }
    let mailmap = mirror.mailmap().await?;
    let boundary = mirror.boundary().await?;
    let accounts = match rules.authors {
        Authors::Addresses => None,
        Authors::Accounts(told) => {
            let accounts = store.accounts_by_email(scope.connection_id, told.addresses);
            Some((told, Arc::new(accounts.await?)))
        }
    };
    let mut cut_off: Vec<&str> = boundary.keys().map(String::as_str).collect();
    cut_off.sort_unstable();
    let identity = identity(scope, rules, mailmap.as_deref());
    let known = store.git_state(scope).await?.unwrap_or_default();
    let mut state = GitState {
        generation: known.generation,
        doing_as: doing_as(&identity, rules, &cut_off),
        done_as: known.done_as.clone(),
        identity,
        line_counts: rules.line_counts,
        boundary: i64::try_from(boundary.len()).unwrap_or(i64::MAX),
    };
    let may_differ = known.done_as != state.doing_as;
    let former = if may_differ && store.has_commit_mentions(scope, source.repo_id).await? {
        Mentions::There
    } else {
        Mentions::None
    };
    let mut tips = store.git_tips(scope).await?;
    let mut forgotten = Vec::new();
    let anew = known.doing_as != state.doing_as || !all_there(mirror, &tips, &refs).await?;
    if anew {
        state.generation += 1;
        state.done_as.clear();
        // What they reached is found by its generation.
        let former: Vec<String> = tips.done.drain().chain(tips.begun.drain()).collect();
        forgotten = former;
    }
    Ok(Engine {
        store,
        scope,
        source,
        rules,
        context,
        params: scope.params(),
        origin: Origin {
            params: scope.params(),
            table: GIT_ORIGIN.to_owned(),
            id: state.generation,
        },
        // Nothing of a new generation is there yet.
        forgotten,
        resumes: !anew && !tips.begun.is_empty(),
        former,
        changed: anew || known != state,
        state,
        refs,
        tips,
        mailmap: mailmap.is_some(),
        accounts,
        boundary,
        addresses: Addresses::default(),
        outcome: HistoryRead {
            anew,
            ..HistoryRead::default()
        },
    })
}

/// What the columns of a commit follow from, beside the commit.
fn identity(scope: &Scope, rules: &GitRules<'_>, mailmap: Option<&str>) -> String {
    let authors = match rules.authors {
        Authors::Addresses => "addresses".to_owned(),
        Authors::Accounts(_) => format!("accounts of {}", scope.connection_id),
    };
    format!("v{VERSION} {authors} mailmap={}", mailmap.unwrap_or("none"))
}

/// Everything that rows follow from, beside the commits.
fn doing_as(identity: &str, rules: &GitRules<'_>, cut_off: &[&str]) -> String {
    let bots = match rules.authors {
        Authors::Addresses => rules.configured.bot_fingerprint(),
        Authors::Accounts(_) => String::new(),
    };
    let boundary = if cut_off.is_empty() {
        "none".to_owned()
    } else {
        let hash = ring::digest::digest(&ring::digest::SHA256, cut_off.join("\n").as_bytes());
        super::text::hexadecimal(&hash.as_ref()[..16])
    };
    format!(
        "{identity} lines={} bots={bots} boundary={boundary}",
        rules.line_counts
    )
}

/// Whether the mirror still has what was read before: it may be another clone.
async fn all_there(mirror: &Mirror<'_>, tips: &GitTips, refs: &Refs) -> Result<bool, Stop> {
    let known = tips.done.union(&tips.begun);
    let questions: Vec<String> = known
        .filter(|tip| !refs.tips.contains(*tip))
        .cloned()
        .collect();
    if questions.is_empty() {
        return Ok(true);
    }
    let answers = mirror.look_up(questions).await?;
    Ok(answers.iter().all(Option::is_some))
}

/// Whether there may be mentions of issues that were read otherwise.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mentions {
    None,
    There,
}

struct Engine<'a> {
    store: &'a Store,
    scope: &'a Scope,
    source: &'a GitSource<'a>,
    rules: &'a GitRules<'a>,
    context: &'a StepContext<'a>,
    params: String,
    origin: Origin,
    /// Tips that say nothing any more.
    forgotten: Vec<String>,
    /// Some of what is read may be there already.
    resumes: bool,
    former: Mentions,
    /// The state is to be stored.
    changed: bool,
    state: GitState,
    refs: Refs,
    tips: GitTips,
    mailmap: bool,
    accounts: Option<(ApiAccounts, Arc<BTreeMap<String, String>>)>,
    boundary: std::collections::HashMap<String, Vec<String>>,
    addresses: Addresses,
    outcome: HistoryRead,
}

impl Engine<'_> {
    async fn run(&mut self, stop: &CancellationToken) -> Result<HistoryRead, Stop> {
        self.outcome.boundary = self.boundary.len() as u64;
        self.begin().await?;
        self.read(stop).await?;
        self.remove(stop).await?;
        self.finish().await?;
        Ok(self.outcome)
    }

    async fn page(&self) -> Result<Transaction<'_>, Stop> {
        Ok(self.store.begin(self.scope, self.context.now).await?)
    }

    fn check_cancelled(&self) -> Result<(), Stop> {
        if self.context.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Ok(())
    }

    /// Tips that were not read to the end.
    fn new_tips(&self) -> impl Iterator<Item = &String> {
        let tips = self.refs.tips.iter();
        tips.filter(|tip| !self.tips.done.contains(*tip))
    }

    /// Notes what is about to be written, so that it is found again whatever happens.
    async fn begin(&mut self) -> Result<(), Stop> {
        let begun = |tip: &&String| !self.tips.begun.contains(*tip);
        let new: Vec<&String> = self.new_tips().filter(begun).collect();
        if new.is_empty() && !self.changed {
            return Ok(());
        }
        let page = self.page().await?;
        page.set_git_state(&self.state).await?;
        page.forget_git_tips(&self.forgotten).await?;
        page.note_git_tips(new, false).await?;
        page.commit().await?;
        Ok(())
    }

    /// Reads the commits that are not there yet.
    async fn read(&mut self, stop: &CancellationToken) -> Result<(), Stop> {
        let mut tips: Vec<String> = self.new_tips().cloned().collect();
        if tips.is_empty() {
            return Ok(());
        }
        tips.extend(self.tips.done.iter().map(|tip| format!("^{tip}")));
        let builder = Arc::new(CommitRowsBuilder {
            repo_id: self.source.repo_id.to_owned(),
            connection_id: self.scope.connection_id,
            tracker: match self.rules.authors {
                Authors::Addresses => None,
                Authors::Accounts(told) => Some((told.ids, self.scope.clone())),
            },
            origin: self.origin.clone(),
            accounts: self.accounts.clone(),
            boundary: self.boundary.clone(),
        });
        let mut batches = reading::start(Reading {
            git: self.source.git.clone(),
            mirror: self.source.mirror.to_owned(),
            cancel: stop.clone(),
            store: self.store.clone(),
            tips,
            mailmap: self.mailmap,
            line_counts: self.rules.line_counts,
            begun: self.resumes.then_some(self.state.generation),
            builder,
        });
        let store = self.store;
        let mut open: Option<Transaction<'_>> = None;
        loop {
            let next = batches.next().await;
            if matches!(next, Ok(None) | Err(_)) || self.context.cancel.is_cancelled() {
                if let Some(page) = open {
                    page.commit().await?;
                }
                self.check_cancelled()?;
                return next.map(|_| ());
            }
            let Ok(Some(batch)) = next else { continue };
            let mut page = match open.take() {
                Some(page) => page,
                None => store.begin(self.scope, self.context.now).await?,
            };
            let commits = batch.commits.len() as u64;
            self.write(&mut page, batch).await?;
            open = page.go_on().await?;
            self.outcome.commits += commits;
            (self.context.progress)(commits);
        }
    }

    async fn write(&mut self, page: &mut Transaction<'_>, batch: CommitBatch) -> Result<(), Stop> {
        let CommitBatch {
            commits,
            mut rows,
            begun,
            odd_dates,
            ..
        } = batch;
        let own = Own {
            repo_id: self.source.repo_id,
            params: &self.params,
            state: &self.state,
        };
        if self.state.generation > 1 {
            // Files of former rules.
            if self.state.line_counts {
                page.remove_commit_files(&begun).await?;
            } else {
                let uncounted = own.uncounted(page, &begun).await?;
                page.remove_commit_files(&uncounted).await?;
            }
        }
        let authors = match self.rules.authors {
            Authors::Addresses => self.addresses.meet(&commits),
            Authors::Accounts(_) => BTreeSet::new(),
        };
        let mut former = own.settle(page, (commits, &self.origin), &mut rows).await?;
        if self.former == Mentions::There {
            page.remove_commit_mentions(own.repo_id, &begun).await?;
        }
        self.outcome.changes.written += page.write_rows(rows).await?;
        self.outcome.odd_dates += odd_dates;
        let made_by = (&self.origin, self.rules.configured);
        match self.rules.authors {
            Authors::Addresses => {
                former.extend(authors);
                authors::write_accounts(page, former, made_by).await?;
            }
            Authors::Accounts(_) => authors::remove_accounts(page, former).await?,
        }
        Ok(())
    }

    /// Removes the commits that the repository has no more.
    async fn remove(&mut self, stop: &CancellationToken) -> Result<(), Stop> {
        if self.state.done_as != self.state.doing_as {
            self.remove_stale().await?;
        }
        let mut tips: Vec<String> = self
            .tips
            .done
            .union(&self.tips.begun)
            .filter(|tip| !self.refs.tips.contains(*tip))
            .cloned()
            .collect();
        if tips.is_empty() {
            return Ok(());
        }
        tips.extend(self.refs.tips.iter().map(|tip| format!("^{tip}")));
        let mirror = Mirror {
            git: self.source.git,
            path: self.source.mirror,
            cancel: stop,
        };
        let list = super::bounded(mirror.command()).args(["rev-list", "--stdin"]);
        let mut running = list.fed().stream(stop)?;
        feed(&mut running, tips);
        let mut gone = Vec::with_capacity(PAGE);
        while let Some(sha) = running.record(b'\n').await?.map(super::text::text) {
            gone.push(sha);
            if gone.len() == PAGE {
                self.take_away(&std::mem::take(&mut gone)).await?;
            }
        }
        running.finish().await?;
        self.take_away(&gone).await
    }

    /// Removes the commits that were not read again, when all were.
    async fn remove_stale(&mut self) -> Result<(), Stop> {
        loop {
            let (repo_id, generation) = (self.source.repo_id, self.state.generation);
            let stale = self
                .store
                .git_commits_stale(repo_id, generation, PAGE)
                .await?;
            if stale.is_empty() {
                return Ok(());
            }
            self.take_away(&stale).await?;
        }
    }

    async fn take_away(&mut self, shas: &[String]) -> Result<(), Stop> {
        self.check_cancelled()?;
        if shas.is_empty() {
            return Ok(());
        }
        let own = Own {
            repo_id: self.source.repo_id,
            params: &self.params,
            state: &self.state,
        };
        let mut page = self.store.begin(self.scope, self.context.now).await?;
        let gone = own.release(&mut page, shas).await?;
        let stored = page.stored_commits(&gone).await?;
        self.outcome.changes.removed += page.remove_commits(&gone).await?;
        if self.rules.authors == Authors::Addresses {
            let emails = stored.into_values().map(|commit| commit.row.author_id);
            let emails: BTreeSet<String> = emails.filter(|email| !email.is_empty()).collect();
            let made_by = (&self.origin, self.rules.configured);
            authors::write_accounts(&mut page, emails, made_by).await?;
        }
        page.commit().await?;
        self.outcome.gone += shas.len() as u64;
        Ok(())
    }

    /// Writes the refs, and that everything is done.
    async fn finish(&mut self) -> Result<(), Stop> {
        self.check_cancelled()?;
        let connection_id = self.scope.connection_id;
        let accounts = match &self.accounts {
            None => None,
            Some((told, used)) => {
                let noted = self.store.joined_accounts(connection_id).await?;
                let now = self.store.accounts_by_email(connection_id, told.addresses);
                Some((noted, used, now.await?, told.ids))
            }
        };
        let mut rows = refs::rows(self.source.repo_id, &self.origin, &self.refs);
        let table = Table::of::<git_ref::Entity>();
        let replacement = Replacement {
            table,
            owner: Owner::Column {
                name: "repo_id",
                values: vec![self.source.repo_id.to_owned()],
                connection_id: None,
            },
            rows: rows.take(table),
            first: false,
        };
        let left_out = refs::left_out(&self.refs);
        let left_out_before = self.store.left_out_refs(self.scope).await?;
        let mut page = self.store.begin(self.scope, self.context.now).await?;
        let changes = page.replace(replacement).await?;
        if left_out != left_out_before {
            page.set_left_out_refs(&left_out).await?;
        }
        if let Some((noted, used, now, ids)) = &accounts {
            authors::rejoin(&page, (connection_id, ids), [noted, used, now]).await?;
        }
        let known = self.tips.done.union(&self.tips.begun);
        let gone = known.filter(|tip| !self.refs.tips.contains(*tip));
        let gone: Vec<String> = gone.cloned().collect();
        page.forget_git_tips(&gone).await?;
        let goes_on = page.git_goes_on(&self.state).await?;
        if goes_on {
            page.note_git_tips(self.new_tips(), true).await?;
        }
        if goes_on && self.state.done_as != self.state.doing_as {
            self.state.done_as.clone_from(&self.state.doing_as);
            page.set_git_state(&self.state).await?;
        }
        page.commit().await?;
        self.outcome.changes += changes;
        Ok(())
    }
}
