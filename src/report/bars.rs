//! Progress bars, for a person at a terminal.

use std::collections::HashMap;
use std::fmt::Write;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::output::{self, Tone};

use super::digest::Digest;
use super::{Event, Place, Report, Reporter, lines};

/// One bar for each step under way; a line for each repository that is done.
#[derive(Default)]
pub struct Bars {
    digest: Digest,
    all: MultiProgress,
    running: Mutex<HashMap<String, ProgressBar>>,
}

/// A bar that counts the time down until something, by the clock that goes on evenly.
fn countdown(connection: &str, until: &str, left: Duration) -> ProgressBar {
    let end = Instant::now() + left;
    let style =
        ProgressStyle::with_template(&format!("{{spinner}} {{prefix}}  {until} {{countdown}}"));
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    let style = style.with_key(
        "countdown",
        move |_: &ProgressState, out: &mut dyn Write| {
            let left = end.saturating_duration_since(Instant::now()).as_secs();
            // A terminal that cannot be written shows no countdown.
            let _ = write!(
                out,
                "{}:{:02}:{:02}",
                left / 3600,
                left / 60 % 60,
                left % 60
            );
        },
    );
    let bar = ProgressBar::no_length().with_style(style);
    bar.set_prefix(output::shown(&format!("{connection}: rate limit")));
    bar
}

impl Bars {
    fn with_bar(&self, place: &Place, use_it: impl FnOnce(&ProgressBar)) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = running.entry(key(place)).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::no_length());
            bar.set_style(unknown_length());
            bar.set_prefix(output::shown(&key(place)));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        use_it(bar);
    }

    fn count_down(&self, connection: &str, until: &str, left: Duration) {
        let bar = self.all.add(countdown(connection, until, left));
        bar.enable_steady_tick(Duration::from_secs(1));
        self.replace(waiting(connection), Some(bar));
    }

    fn end(&self, place: &Place) {
        self.replace(key(place), None);
    }

    /// Clears a bar, and shows another one in its place.
    fn replace(&self, key: String, bar: Option<ProgressBar>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match bar {
            Some(bar) => running.insert(key, bar),
            None => running.remove(&key),
        };
        if let Some(before) = before {
            before.finish_and_clear();
        }
    }
}

fn waiting(connection: &str) -> String {
    format!("{connection}: rate limit")
}

fn key(place: &Place) -> String {
    format!("{} {} {}", place.scope, place.stage, place.stream)
}

/// A template that indicatif refuses is a bug of ours; the default bar is shown then.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
        // A terminal that cannot be written shows no rate.
        let _ = write!(out, "{:.0}/s", state.per_sec());
    })
}

fn unknown_length() -> ProgressStyle {
    style("{spinner} {prefix}  {human_pos}  {rate}  {msg}")
}

fn known_length() -> ProgressStyle {
    style("{spinner} {prefix}  {wide_bar} {human_pos}/{human_len}  {rate}  {eta} left  {msg}")
}

impl Reporter for Bars {
    fn event(&self, report: &Report) {
        let event = &report.event;
        match event {
            Event::StepStarted { place } => self.with_bar(place, |_| ()),
            Event::StepProgress {
                place,
                items,
                done,
                expected,
                waiting,
            } => {
                self.with_bar(place, |bar| {
                    if let Some(expected) = expected {
                        if bar.length() != Some(*expected) {
                            bar.set_length(*expected);
                            bar.set_style(known_length());
                        }
                        bar.set_position(*done);
                    } else {
                        bar.set_position(*items);
                    }
                    bar.set_message(limiter(*waiting));
                });
            }
            Event::RateLimited {
                connection, until, ..
            } => {
                self.print(report);
                let left = (*until - report.at).to_std().unwrap_or_default();
                self.count_down(connection, "goes on in", left);
            }
            Event::RatePaced {
                connection,
                seconds,
                ..
            } => self.count_down(connection, "done in about", Duration::from_secs(*seconds)),
            // The countdown says it.
            Event::RateWaiting { .. } => {}
            Event::RateResumed { connection } => self.replace(waiting(connection), None),
            Event::StepFinished { place, .. } => {
                self.end(place);
                self.print(report);
            }
            Event::RunStarted { .. }
            | Event::Notice { .. }
            | Event::Estimate { .. }
            | Event::ScopeFinished { .. } => {
                self.print(report);
            }
            Event::RunFinished { .. } => {
                // Nothing waits any more.
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                running.drain().for_each(|(_, bar)| bar.finish_and_clear());
                drop(running);
                self.print(report);
            }
        }
    }

    fn closing(&self, line: &str) {
        self.println(Tone::Plain, line);
    }
}

impl Bars {
    fn println(&self, tone: Tone, line: &str) {
        // A terminal that went away is no reason to stop collecting.
        let line = output::in_tone(tone, &output::shown(line), &io::stderr());
        let _ = self.all.println(line);
    }

    fn print(&self, report: &Report) {
        for (tone, line) in self.digest.lines(report) {
            self.println(tone, &line);
        }
    }
}

/// The limiter's state in words.
fn limiter(waiting: u64) -> String {
    match waiting {
        0 => String::new(),
        _ => format!(
            "rate limit: {} waiting",
            lines::counted(waiting, "request", "requests")
        ),
    }
}
