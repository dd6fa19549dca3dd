//! What is printed.

use std::collections::BTreeMap;

use crate::process::Measured;
use crate::subject::{Rows, Subject};

/// One run of everything.
pub(crate) type Round = BTreeMap<Subject, Measured>;

/// The rounds so far, and the rows each run of a round writes to the tool tables.
pub(crate) struct Report {
    pub(crate) rounds: Vec<Round>,
    pub(crate) rows: Rows,
    /// A first sync and one after a hundred items changed, and the rows each of them wrote.
    pub(crate) changed: Option<(Round, (u64, u64))>,
}

impl Report {
    pub(crate) fn print_round(&self, number: usize, round: &Round) {
        println!("round {number}");
        for (subject, measured) in round {
            self.print_run(
                *subject,
                *measured,
                ratio_of(round, *subject, subject.base()),
            );
        }
    }

    /// The medians in the same form, and the table for the documentation.
    pub(crate) fn print_summary(&self) {
        println!("median");
        for subject in self.subjects() {
            let ratio = median(&self.ratios(subject, subject.base()));
            self.print_run(subject, self.typical(subject), ratio);
        }
        let again = self.ratios(Subject::Unchanged, Subject::Sync);
        if !again.is_empty() {
            println!("second sync to first sync: {}", with_range(&again));
        }
        println!(
            "\n| what | wall s | ratio to floor (median, min–max) | cpu s | peak MB | requests |"
        );
        println!("| --- | ---: | ---: | ---: | ---: | ---: |");
        for subject in self.subjects() {
            let typical = self.typical(subject);
            println!(
                "| {} | {:.2} | {} | {:.2} | {:.0} | {} |",
                subject.name(),
                typical.seconds,
                with_range(&self.ratios(subject, subject.base())),
                typical.processor,
                typical.peak_megabytes,
                grouped(typical.requests),
            );
        }
        if let Some((round, written)) = &self.changed {
            print_change(round, *written);
        }
    }

    fn print_run(&self, subject: Subject, measured: Measured, ratio: f64) {
        println!(
            "  {:45} {:7.2} s {:6.2}x {:>9} rows/s {:5.0} MB {:>7} requests",
            subject.name(),
            measured.seconds,
            ratio,
            grouped(per_second(self.rows.total(), measured.seconds)),
            measured.peak_megabytes,
            grouped(measured.requests),
        );
    }

    fn subjects(&self) -> Vec<Subject> {
        let first = self.rounds.first();
        first
            .map(|round| round.keys().copied().collect())
            .unwrap_or_default()
    }

    /// The median of each number by itself.
    fn typical(&self, subject: Subject) -> Measured {
        let runs: Vec<&Measured> = self.runs(subject).collect();
        let of = |number: fn(&Measured) -> f64| {
            let numbers: Vec<f64> = runs.iter().map(|run| number(run)).collect();
            median(&numbers)
        };
        let mut requests: Vec<u64> = runs.iter().map(|run| run.requests).collect();
        requests.sort_unstable();
        Measured {
            seconds: of(|it| it.seconds),
            processor: of(|it| it.processor),
            peak_megabytes: of(|it| it.peak_megabytes),
            requests: requests
                .get(requests.len() / 2)
                .copied()
                .unwrap_or_default(),
        }
    }

    fn runs(&self, subject: Subject) -> impl Iterator<Item = &Measured> {
        self.rounds
            .iter()
            .filter_map(move |round| round.get(&subject))
    }

    /// Of each round: times of different rounds are not comparable on a busy machine.
    fn ratios(&self, subject: Subject, base: Subject) -> Vec<f64> {
        let measured = self
            .rounds
            .iter()
            .filter(|round| round.contains_key(&subject));
        measured
            .map(|round| ratio_of(round, subject, base))
            .collect()
    }
}

/// What a sync costs after a hundred items changed.
fn print_change(round: &Round, (first, again): (u64, u64)) {
    let Some((sync, changed)) = round.get(&Subject::Sync).zip(round.get(&Subject::Changed)) else {
        return;
    };
    println!("\n| sync | wall s | cpu s | requests | rows written |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (name, run, rows) in [
        ("first", sync, first),
        ("100 items changed", changed, again),
    ] {
        let (wall, cpu, requests) = (run.seconds, run.processor, grouped(run.requests));
        println!(
            "| {name} | {wall:.3} | {cpu:.2} | {requests} | {} |",
            grouped(rows)
        );
    }
    println!(
        "| share | {:.2} % | {:.2} % | {:.2} % | {:.2} % |",
        100.0 * changed.seconds / sync.seconds,
        100.0 * changed.processor / sync.processor,
        share(changed.requests, sync.requests),
        share(again, first),
    );
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn share(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}

fn ratio_of(round: &Round, subject: Subject, base: Subject) -> f64 {
    let seconds = |subject| round.get(&subject).map_or(f64::NAN, |it| it.seconds);
    seconds(subject) / seconds(base)
}

fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

fn with_range(ratios: &[f64]) -> String {
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.2} ({least:.2}–{most:.2})", median(ratios))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and times are positive and far below 2^52"
)]
fn per_second(count: u64, seconds: f64) -> u64 {
    (count as f64 / seconds) as u64
}

/// `12345` as `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
