//! Progress bars, for a person at a terminal.

use std::collections::HashMap;
use std::fmt::Write;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::output;

use super::digest::Digest;
use super::{Event, Place, Report, Reporter, lines};

/// One bar for each step under way; a line for each repository that is done.
#[derive(Default)]
pub struct Bars {
    digest: Digest,
    all: MultiProgress,
    running: Mutex<HashMap<String, ProgressBar>>,
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

    fn end(&self, place: &Place) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = running.remove(&key(place)) {
            bar.finish_and_clear();
        }
    }
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
            Event::StepFinished { place, .. } => {
                self.end(place);
                self.print(event);
            }
            Event::RunStarted { .. }
            | Event::Notice { .. }
            | Event::Estimate { .. }
            | Event::RateLimited { .. }
            | Event::ScopeFinished { .. }
            | Event::RunFinished { .. } => {
                self.print(event);
            }
        }
    }
}

impl Bars {
    fn print(&self, event: &Event) {
        for (tone, line) in self.digest.lines(event) {
            // A terminal that went away is no reason to stop collecting.
            let _ = self
                .all
                .println(output::in_tone(tone, &output::shown(&line), &io::stderr()));
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
