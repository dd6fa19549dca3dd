//! A run in few lines: one for each repository, then what it came to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::lines::{
    counted, limited_line, paced_line, run_line, step_line, waiting_line, with_commas,
};
use super::{Event, Place, Report, RunSummary, ScopeSummary, StepSummary};
use crate::output::Tone;

/// Most repositories that are named behind one sentence.
const NAMED: usize = 3;

/// Most sentences of a summary; `--verbose` shows all of them where they happen.
const SENTENCES: usize = 8;

/// Turns events into lines. Messages of steps are kept until the end of the run, and printed once for all
/// repositories.
#[derive(Default)]
pub(super) struct Digest {
    /// Also a line for each step, where it happens.
    verbose: bool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Messages of steps: state, stage, stream and sentence without the repository's name, with the
    /// repositories and the sentence as it was for the first of them.
    sentences: BTreeMap<Sentence, (BTreeSet<String>, String)>,
    /// Items that were new or different, over all repositories.
    changed: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sentence {
    went_well: bool,
    stream: &'static str,
    stage: &'static str,
    state: &'static str,
    text: String,
}

impl Digest {
    /// Also a line for each step.
    pub(super) fn verbose() -> Self {
        Self {
            verbose: true,
            ..Self::default()
        }
    }
}

/// One line, and how it is to look.
pub(super) type Shown = (Tone, String);

impl Digest {
    /// The lines for an event.
    pub(super) fn lines(&self, report: &Report) -> Vec<Shown> {
        let (event, now) = (&report.event, report.at);
        let plain = |line: String| vec![(Tone::Plain, line)];
        match event {
            Event::RunStarted { command, scopes } => plain(format!(
                "{command}: {}",
                counted(*scopes, "repository", "repositories")
            )),
            Event::Notice { message } => plain(message.clone()),
            Event::Estimate {
                connection,
                estimate,
            } => plain(format!("{connection}: {estimate}")),
            Event::RateLimited {
                connection,
                until,
                cause,
            } => plain(limited_line(connection, (*until, now), cause)),
            Event::RateWaiting {
                connection,
                until,
                seconds,
            } => vec![(
                Tone::Faint,
                waiting_line(connection, (*until, now), *seconds),
            )],
            Event::RatePaced {
                connection,
                finishes_at,
                seconds,
            } => vec![(
                Tone::Faint,
                paced_line(connection, (*finishes_at, now), *seconds),
            )],
            Event::StepStarted { place } if self.verbose => plain(format!(
                "{} {} {} ...",
                place.scope, place.stage, place.stream
            )),
            Event::StepStarted { .. } | Event::StepProgress { .. } | Event::RateResumed { .. } => {
                Vec::new()
            }
            Event::StepFinished { place, summary } => {
                self.keep(place, summary);
                if self.verbose {
                    plain(step_line(place, summary))
                } else {
                    Vec::new()
                }
            }
            Event::ScopeFinished { scope, summary } => {
                let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                for (stream, count) in &summary.changed {
                    *kept.changed.entry(stream).or_default() += count;
                }
                // Of a workspace only what is new or wrong is worth a line among repositories.
                let quiet =
                    is_workspace(scope) && summary.state == "success" && summary.changed.is_empty();
                if quiet {
                    return Vec::new();
                }
                vec![scope_line(scope, summary)]
            }
            Event::RunFinished { summary } => self.end(summary),
        }
    }

    fn keep(&self, place: &Place, summary: &StepSummary) {
        if summary.message.is_empty() || summary.said_before {
            return;
        }
        let name = place.scope.split_once(':').map_or("", |(_, name)| name);
        let sentence = Sentence {
            went_well: summary.state == "success",
            stream: place.stream,
            stage: place.stage,
            state: summary.state,
            text: match name {
                "" => summary.message.clone(),
                name => summary.message.replace(name, "..."),
            },
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (scopes, text) = kept.sentences.entry(sentence).or_default();
        scopes.insert(place.scope.clone());
        if scopes.first() == Some(&place.scope) {
            text.clone_from(&summary.message);
        }
    }

    /// What a run came to: failures by name first, then other messages, then the sums.
    fn end(&self, summary: &RunSummary) -> Vec<Shown> {
        let kept = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *kept)
        };
        let mut lines = Vec::new();
        let all = if self.verbose {
            0
        } else {
            kept.sentences.len()
        };
        for (sentence, (scopes, text)) in kept.sentences.iter().take(all.min(SENTENCES)) {
            let tone = if sentence.went_well {
                Tone::Faint
            } else {
                Tone::Bad
            };
            lines.push((tone, sentence_line(sentence, scopes, text)));
        }
        if all > SENTENCES {
            let more = counted((all - SENTENCES) as u64, "more sentence", "more sentences");
            lines.push((Tone::Faint, format!("{more}: `--verbose` shows them")));
        }
        let tone = match summary.state {
            "success" => Tone::Good,
            _ => Tone::Bad,
        };
        lines.push((tone, run_line(summary)));
        if !kept.changed.is_empty() {
            let changed = nouns(&kept.changed);
            lines.push((Tone::Plain, format!("new or changed: {changed}")));
        }
        lines
    }
}

fn sentence_line(sentence: &Sentence, scopes: &BTreeSet<String>, text: &str) -> String {
    let Sentence {
        stage,
        stream,
        state,
        went_well,
        ..
    } = sentence;
    let state = if *went_well { "" } else { state };
    let space = if state.is_empty() { "" } else { " " };
    let named = scopes.iter().take(NAMED).map(String::as_str);
    let named: Vec<&str> = named.collect();
    let more = scopes.len().saturating_sub(NAMED);
    let more = match more {
        0 => String::new(),
        more => format!(" and {}", counted(more as u64, "other", "others")),
    };
    let scopes = named.join(", ");
    format!("{scopes}{more}: {stage} {stream}{space}{state}: {text}")
}

/// Whether a scope is a workspace: its name has one part.
fn is_workspace(scope: &str) -> bool {
    scope
        .split_once(':')
        .is_some_and(|(_, name)| !name.contains('/'))
}

fn scope_line(scope: &str, summary: &ScopeSummary) -> Shown {
    let mut parts = Vec::new();
    if !summary.changed.is_empty() {
        parts.push(nouns(&summary.changed));
    } else if summary.written > 0 {
        parts.push(counted(summary.written, "row written", "rows written"));
    }
    if summary.removed > 0 {
        parts.push(counted(summary.removed, "row removed", "rows removed"));
    }
    if summary.rejected > 0 {
        let rejected = counted(summary.rejected, "item", "items");
        parts.push(format!("{rejected} could not be processed"));
    }
    let tone = if summary.state == "success" {
        Tone::Plain
    } else {
        parts.insert(0, summary.state.to_owned());
        Tone::Bad
    };
    if parts.is_empty() {
        parts.push("nothing new".to_owned());
    }
    let facts = parts.join(", ");
    (tone, format!("{scope}: {facts} ({:.1} s)", summary.seconds))
}

/// `3 pull requests, 1 commit, 2 deployments`.
fn nouns(changed: &BTreeMap<&'static str, u64>) -> String {
    let known = NOUNS.iter().filter_map(|(stream, one, many)| {
        let count = changed.get(stream)?;
        Some(counted(*count, one, many))
    });
    let known: Vec<String> = known.collect();
    let named = |stream: &&str| NOUNS.iter().any(|(known, ..)| known == stream);
    let other = changed.iter().filter(|(stream, _)| !named(stream));
    let other: u64 = other.map(|(_, count)| count).sum();
    let other = match (known.is_empty(), other) {
        (_, 0) => None,
        (true, other) => Some(counted(other, "item", "items")),
        (false, other) => Some(format!("{} other items", with_commas(other))),
    };
    known
        .into_iter()
        .chain(other)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What people ask for first, by stream.
const NOUNS: [(&str, &str, &str); 5] = [
    ("pull_requests", "pull request", "pull requests"),
    ("commits", "commit", "commits"),
    ("pipelines", "pipeline", "pipelines"),
    ("deployments", "deployment", "deployments"),
    ("issues", "issue", "issues"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn place(scope: &str, stream: &'static str) -> Place {
        Place {
            scope: scope.to_owned(),
            stage: "collect",
            stream,
        }
    }

    fn step(state: &'static str, message: &str) -> StepSummary {
        StepSummary {
            state,
            message: message.to_owned(),
            ..StepSummary::default()
        }
    }

    fn scope(name: &str, summary: ScopeSummary) -> Event {
        Event::ScopeFinished {
            scope: name.to_owned(),
            summary,
        }
    }

    fn shown(digest: &Digest, events: &[Event]) -> String {
        let report = |event: &Event| Report {
            event: event.clone(),
            run: None,
            at: chrono::DateTime::UNIX_EPOCH,
        };
        let lines = events.iter().flat_map(|event| digest.lines(&report(event)));
        let lines: Vec<String> = lines
            .map(|(tone, line)| format!("{tone:?}: {line}"))
            .collect();
        lines.join("\n")
    }

    #[test]
    fn a_run_is_one_line_for_each_repository_and_a_summary() {
        let gone = |name: &str| format!("https://api/{name}/issues: there is no tracker any more");
        let mut events = vec![Event::RunStarted {
            command: "sync",
            scopes: 5,
        }];
        events.push(Event::StepFinished {
            place: place("c:acme/a", "pipelines"),
            summary: StepSummary {
                said_before: true,
                ..step("success", "the list is switched off")
            },
        });
        for name in ["a", "b", "c", "d"] {
            let full = format!("c:acme/{name}");
            events.push(Event::StepFinished {
                place: place(&full, "issues"),
                summary: step("success", &gone(&format!("acme/{name}"))),
            });
            let changed = BTreeMap::from([("pull_requests", 2), ("commits", 1), ("refs", 3)]);
            let summary = ScopeSummary {
                state: "success",
                changed,
                ..ScopeSummary::default()
            };
            events.push(scope(&full, summary));
        }
        events.push(Event::StepFinished {
            place: place("c:acme/e", "pipelines"),
            summary: step("failed", "the server answered 500"),
        });
        events.push(scope(
            "c:acme/e",
            ScopeSummary {
                state: "failed",
                rejected: 1,
                removed: 2,
                ..ScopeSummary::default()
            },
        ));
        events.push(scope(
            "c:acme/f",
            ScopeSummary {
                state: "success",
                ..ScopeSummary::default()
            },
        ));
        events.push(Event::RunFinished {
            summary: RunSummary {
                state: "partial",
                scopes: 6,
                scopes_failed: 1,
                written: 20,
                rejected: 1,
                ..RunSummary::default()
            },
        });
        insta::assert_snapshot!(shown(&Digest::default(), &events));
        insta::assert_snapshot!(shown(&Digest::verbose(), &events));
    }
}
