//! One row for each repository: how fresh it is, how its last run ended, what waits.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use headwater_domain::Scope;
use headwater_store::StoreError;
use headwater_store::progress::WalkKey;
use headwater_store::query::Cell;
use headwater_store::runs::ScopeStatus;

use super::LookedAt;
use crate::exit::Failure;
use crate::output::moment;
use crate::report::counted;
use crate::source::Source;

/// Names of the columns where programs read them.
pub(super) const COLUMNS: [&str; 5] = ["repository", "fresh_until", "last_run", "result", "waits"];

/// Names of the columns for people.
pub(super) const HEADINGS: [&str; 5] = ["repository", "fresh", "last run", "result", "waits"];

/// How old what is not read in each run may be.
pub(super) const BOUND: &str = "environments, and deployments that no pipeline made, are read once \
                                a day; a tracker or Pipelines that were missing, once a week; \
                                `headwater reconcile` reads everything";

/// States of a step from the best to the worst.
const STATES: [&str; 4] = ["success", "cancelled", "partial", "failed"];

/// A repository or a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Overview {
    /// Name of the connection and full name of the repository.
    name: String,
    /// A workspace: what it has is read beside its repositories.
    is_workspace: bool,
    /// Everything that changed at the source before this time is stored (UTC).
    fresh_until: Option<DateTime<Utc>>,
    /// When its newest step ended (UTC).
    last_run: Option<DateTime<Utc>>,
    /// The worst state of its steps as they last ran; none before one has run.
    state: Option<String>,
    /// Streams whose step ended in that state, where it is not a success.
    streams: BTreeSet<String>,
    /// What waits for the next run, or for a person.
    waits: Vec<String>,
}

/// The repositories that were selected, in the order of their names.
pub(super) async fn repositories(looked_at: &LookedAt<'_>) -> Result<Vec<Overview>, Failure> {
    let mut repositories = Vec::with_capacity(looked_at.scopes.len());
    for (scope, connection) in &looked_at.scopes {
        let wanted = wanted_streams(looked_at, connection);
        let mut steps = looked_at.store.scope_status(scope).await?;
        // Of a stream that is not wanted any more the last run says nothing.
        steps.retain(|it| it.step.stage != "collect" || wanted.contains(it.step.stream.as_str()));
        let source = looked_at.source(connection);
        for it in &mut steps {
            // How old that may be is said below.
            let entry = source.find(&it.step.stream);
            if entry.is_some_and(|entry| entry.collection.is_shown_by_others()) {
                it.fresh_until = None;
            }
        }
        let mut repository = Overview::of_steps(&steps);
        repository.name = format!("{connection}:{}", scope.full_name);
        repository.is_workspace = scope.is_workspace();
        repository.waits = waits(looked_at, scope, source).await?;
        repositories.push(repository);
    }
    Ok(repositories)
}

/// The streams that the configuration wants; all of them where it does not know the connection.
fn wanted_streams(looked_at: &LookedAt<'_>, connection: &str) -> BTreeSet<&'static str> {
    let context = looked_at.context;
    let mut wanted = context.config.streams_of(&context.sources, connection);
    if context.config.connection(connection).is_none() {
        wanted.extend(context.sources.stream_names());
    }
    wanted.insert(crate::source::GIT);
    wanted
}

/// What waits for the next run, or for a person.
async fn waits(
    looked_at: &LookedAt<'_>,
    scope: &Scope,
    source: &Source,
) -> Result<Vec<String>, StoreError> {
    let store = looked_at.store;
    let mut waits = Vec::new();
    let known = looked_at.known.iter().find(|known| known.scope == *scope);
    if let Some(gone) = known.and_then(|known| known.source_gone_at) {
        let day = gone.format("%Y-%m-%d");
        waits.push(format!("gone at the source since {day}, its rows stay"));
    }
    let mut raw = 0;
    for entry in source.streams_of(scope) {
        let stream = entry.collection.stream;
        let walked = store.walk_state(WalkKey { scope, stream }).await?;
        if walked.resume_at.is_some() {
            waits.push(format!("the rest of {stream}"));
        }
        if let (true, Some(since), true) = (
            entry.collection.endpoint.is_by_time() && walked.complete,
            walked.data_after,
            known.is_some_and(|known| walked.is_exceeded_by(known.data_after)),
        ) {
            waits.push(format!("{stream} before {}", since.format("%Y-%m-%d")));
        }
        let done = store.checkpoint(scope, &entry.extraction.step()).await?;
        let table = &entry.collection.raw_table;
        raw += store.changed_count(scope, table, done.seq).await?;
    }
    let dead = store.dead_letter_count(scope).await?;
    if dead > 0 {
        waits.push(format!("{} to try again", counted(dead, "item", "items")));
    }
    // What could not be extracted is among the dead letters.
    if raw > dead {
        let raw = counted(raw, "raw row", "raw rows");
        waits.push(format!("{raw} for `headwater transform`"));
    }
    let lost = store.deployments_without_environment(scope).await?;
    if lost > 0 {
        let lost = counted(lost, "deployment", "deployments");
        waits.push(format!("{lost} without an environment"));
    }
    Ok(waits)
}

impl Overview {
    fn of_steps(steps: &[ScopeStatus]) -> Self {
        let rank = |state: &str| STATES.iter().position(|known| *known == state);
        let worst = steps
            .iter()
            .map(|it| it.step.state.as_str())
            .max_by_key(|it| rank(it));
        let in_trouble = steps
            .iter()
            .filter(|it| Some(it.step.state.as_str()) == worst);
        let streams = in_trouble.map(|it| it.step.stream.clone());
        Self {
            fresh_until: steps.iter().filter_map(|it| it.fresh_until).min(),
            last_run: steps.iter().filter_map(|it| it.step.finished_at).max(),
            streams: match worst {
                Some("success") | None => BTreeSet::new(),
                Some(_) => streams.collect(),
            },
            state: worst.map(str::to_owned),
            ..Self::default()
        }
    }

    fn result(&self) -> String {
        let state = self.state.as_deref().unwrap_or("never ran");
        if self.streams.is_empty() {
            return state.to_owned();
        }
        let streams: Vec<&str> = self.streams.iter().map(String::as_str).collect();
        format!("{state}: {}", streams.join(", "))
    }

    /// A row for programs: times in full.
    pub(super) fn as_data(&self) -> Vec<Cell> {
        vec![
            Cell::Text(self.name.clone()),
            moment(self.fresh_until),
            moment(self.last_run),
            Cell::Text(self.result()),
            Cell::Text(self.waits.join("; ")),
        ]
    }

    /// A row for people: how long ago, so that no time zone is asked.
    pub(super) fn for_people(&self, now: DateTime<Utc>) -> Vec<Cell> {
        let ago = |time: Option<DateTime<Utc>>| match time {
            Some(time) => format!("{} ago", age(now - time)),
            None => "-".to_owned(),
        };
        let waits = match self.waits.as_slice() {
            [] => "-".to_owned(),
            waits => waits.join("; "),
        };
        let texts = [
            self.name.clone(),
            ago(self.fresh_until),
            ago(self.last_run),
            self.result(),
            waits,
        ];
        texts.map(Cell::Text).into()
    }
}

/// `under 1 min`, `5 min`, `3 h`, `2 days`.
fn age(age: TimeDelta) -> String {
    let minutes = age.num_minutes().max(0);
    match minutes {
        0 => "under 1 min".to_owned(),
        1..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

/// What the rows come to, and where the rest is.
pub(super) fn last_line(repositories: &[Overview]) -> String {
    let real = || repositories.iter().filter(|it| !it.is_workspace);
    let total = counted(real().count() as u64, "repository", "repositories");
    let well = real().filter(|it| it.state.as_deref() == Some("success") && it.waits.is_empty());
    let rest = real().count() - well.count();
    let rest = match rest {
        0 => "all is well".to_owned(),
        rest => format!("{rest} to look at"),
    };
    format!("{total}, {rest}; `headwater status --steps` has every step")
}

#[cfg(test)]
mod tests {
    use headwater_store::runs::StepRecord;

    use super::*;
    use crate::output::laid_out;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn step(stream: &str, state: &str, at: &str, fresh: Option<&str>) -> ScopeStatus {
        ScopeStatus {
            step: StepRecord {
                stage: "collect".to_owned(),
                stream: stream.to_owned(),
                state: state.to_owned(),
                finished_at: Some(time(at)),
                ..StepRecord::default()
            },
            fresh_until: fresh.map(time),
        }
    }

    fn named(name: &str, steps: &[ScopeStatus], waits: &[&str]) -> Overview {
        Overview {
            name: name.to_owned(),
            waits: waits.iter().map(|&it| it.to_owned()).collect(),
            ..Overview::of_steps(steps)
        }
    }

    #[test]
    fn a_repository_is_as_fresh_as_its_oldest_list_and_as_well_as_its_worst_step() {
        let (early, late) = ("2026-03-01T08:00:00Z", "2026-03-01T09:30:00Z");
        let steps = [
            step("pull_requests", "success", late, Some(late)),
            step("pipelines", "failed", early, Some(early)),
            step("issues", "partial", late, None),
        ];
        let it = Overview::of_steps(&steps);
        assert_eq!(it.fresh_until, Some(time(early)));
        assert_eq!(it.last_run, Some(time(late)));
        assert_eq!(it.result(), "failed: pipelines");
        assert_eq!(Overview::of_steps(&[]).result(), "never ran");
    }

    #[test]
    fn an_overview_fits_terminals_of_any_width() {
        let at = "2026-03-01T09:30:00Z";
        let well = [step("pull_requests", "success", at, Some(at))];
        let failed = [step("pipelines", "failed", "2026-02-27T09:30:00Z", None)];
        let waits = ["2 items to try again", "the rest of pipelines"];
        let all = [
            named("acme-cloud:acme/rocket", &well, &[]),
            named(
                "acme-cloud:acme/a-long-name-of-a-repository",
                &failed,
                &waits,
            ),
            named("acme-cloud:acme/new", &[], &[]),
        ];
        let now = time("2026-03-01T12:00:00Z");
        let rows: Vec<Vec<Cell>> = all.iter().map(|it| it.for_people(now)).collect();
        let widths = [None, Some(120), Some(80), Some(40)];
        let mut shown: Vec<String> = widths
            .iter()
            .map(|&width| format!("width {width:?}\n{}", laid_out(&HEADINGS, &rows, width)))
            .collect();
        shown.push(last_line(&all));
        insta::assert_snapshot!(shown.join("\n"));
    }
}
