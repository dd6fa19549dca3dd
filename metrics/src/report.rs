//! The metrics of a project over a range of days, in the form that `metrics dora` prints.

mod bands;
mod divided;
mod explained;
mod frequency;
mod reasons;
mod samples;

use serde_json::{Value, json};

use crate::commit_lead_time::CommitLeadTime;
use crate::coverage::coverage;
use crate::failures::is_counted;
use crate::numbers::{median, percentile, ratio};
use crate::{By, Facts, FailureSource, LeadTime, Measured, Range, Rules};

use bands::Band;
pub use bands::Edition;
use divided::{Divided, Sample};
pub use explained::{Explained, Metric, Part, explain};

/// The metrics of a project over a range of days: an object with `metrics` and `coverage`.
///
/// Minutes and seconds are integers, ratios have up to four decimals, what is absent is null.
#[must_use]
pub fn report(
    facts: &Facts,
    rules: &Rules,
    measured: &Measured,
    range: &Range,
    by: By,
    edition: Edition,
) -> Value {
    let counting = Counting {
        facts,
        rules,
        measured,
        range,
        by,
        edition,
    };
    json!({
        "from": range.from().to_string(),
        "to": range.to().to_string(),
        "timezone": rules.timezone.name(),
        "report": edition.name(),
        "by": by.name(),
        "metrics": [
            counting.deployment_frequency(),
            counting.lead_time(),
            counting.change_failure_rate(),
            counting.recovery(),
            counting.restore(),
            counting.rework(),
        ],
        "coverage": coverage(facts, measured, range),
    })
}

/// Ten-thousandths as a number.
pub(crate) fn decimal(ten_thousandths: Option<i64>) -> Value {
    ten_thousandths.map_or(Value::Null, |it| {
        let whole = i32::try_from(it).map_or(f64::MAX, f64::from);
        json!(whole / 10_000.0)
    })
}

struct Counting<'f> {
    facts: &'f Facts,
    rules: &'f Rules,
    measured: &'f Measured,
    range: &'f Range,
    by: By,
    edition: Edition,
}

impl Counting<'_> {
    fn divided(&self, samples: Vec<Sample>) -> Divided {
        let deployments = &self.measured.deployments.deployments;
        let counted = deployments.iter().filter(|it| is_counted(self.rules, it));
        let environments = counted.flat_map(|it| it.environments.iter().cloned());
        let groups = match self.by {
            By::Repository => self.facts.repositories.iter().cloned().collect(),
            By::Environment => environments.collect(),
            _ => Vec::new(),
        };
        Divided::new(self.range, self.by, self.rules.week_start, groups, samples)
    }

    fn part(&self, name: &str, part: Value) -> Value {
        let mut part = part;
        part[self.by.key()] = json!(name);
        part
    }

    fn deployment_frequency(&self) -> Value {
        let samples = self.production_deployments();
        let reason = self.frequency_reason();
        let has_value = reason.is_none_or(|it| it == "NO_DEPLOYMENTS_IN_RANGE");
        let divided = self.divided(samples);
        let whole = divided.whole();
        let frequency = frequency::of(self.range, self.rules.week_start, whole);
        let by = divided.parts().map(|(name, samples)| {
            let value = has_value.then_some(samples.len());
            self.part(name, json!({ "value": value, "samples": samples.len() }))
        });
        let days = self.range.days();
        let count = i64::try_from(whole.len()).unwrap_or(i64::MAX);
        let shown = |value: Option<i64>| has_value.then_some(value).flatten();
        json!({
            "metric": "deployment_frequency",
            "unit": "deployments",
            "value": shown(Some(count)),
            "band": has_value.then(|| bands::frequency(self.edition, &frequency).name()),
            "samples": count,
            "reason": reason,
            "per_day": has_value.then(|| decimal(ratio(count, days))),
            "deployment_days": shown(Some(frequency.deployment_days)),
            "median_days_per_week": shown(frequency.per_week),
            "median_days_per_month": shown(frequency.per_month),
            "median_days_per_six_months": shown(frequency.per_six_months),
            "by": by.collect::<Value>(),
        })
    }

    fn lead_time(&self) -> Value {
        let in_range = |it: &&LeadTime| it.deployed.is_some_and(|at| self.range.has(at));
        let deployed: Vec<&LeadTime> = self.measured.lead_times.iter().filter(in_range).collect();
        let divided = self.divided(self.deployed_pull_requests());
        let whole = Times::of(divided.whole());
        let by = divided.parts().map(|(name, samples)| {
            let times = Times::of(samples);
            self.part(
                name,
                json!({ "value": times.value, "samples": times.samples }),
            )
        });
        json!({
            "metric": "lead_time",
            "unit": "minutes",
            "value": whole.value,
            "band": named(bands::lead_time(self.edition, whole.value)),
            "samples": whole.samples,
            "reason": self.lead_time_reason(deployed.is_empty()),
            "seconds": whole.seconds,
            "p75": whole.p75,
            "p90": whole.p90,
            "phases": {
                "coding": phase(&deployed, |it| it.coding().0),
                "pickup": phase(&deployed, |it| it.pickup().0),
                "review": phase(&deployed, |it| it.review().0),
                "deploy": phase(&deployed, |it| it.deploy().0),
            },
            "merged_in_range": self.merged_in_range(),
            "commits": self.commits(),
            "by": by.collect::<Value>(),
        })
    }

    fn merged_in_range(&self) -> Value {
        let merged = self
            .measured
            .lead_times
            .iter()
            .filter(|it| self.range.has(it.merged));
        let mut minutes: Vec<i64> = merged.map(LeadTime::cycle_minutes).collect();
        json!({ "value": median(&mut minutes), "samples": minutes.len() })
    }

    fn commits(&self) -> Value {
        let successful = self.measured.deployments.successful();
        let mut all = Vec::new();
        let mut deployments = Vec::new();
        for deployment in successful.filter(|it| self.range.has(it.end)) {
            let Some(samples) = self.measured.commit_samples.get(&deployment.id) else {
                continue;
            };
            all.extend_from_slice(samples);
            let times = CommitLeadTime::of(samples.clone());
            deployments.push(json!({
                "deployment": deployment.id,
                "samples": times.samples,
                "mean": times.mean,
                "median": times.median,
            }));
        }
        let times = CommitLeadTime::of(all);
        json!({
            "unit": "seconds",
            "samples": times.samples,
            "mean": times.mean,
            "median": times.median,
            "deployments": deployments,
        })
    }

    fn change_failure_rate(&self) -> Value {
        let divided = self.divided(self.counted_deployments());
        let share = Share::of(divided.whole());
        let reason = self.failure_rate_reason(share.of == 0);
        let value = reason.is_none().then_some(share);
        json!({
            "metric": "change_failure_rate",
            "unit": "ratio",
            "value": decimal(value.and_then(Share::ratio)),
            "band": named(value.and_then(|it| bands::failure_rate(self.edition, it.part, it.of))),
            "samples": share.of,
            "reason": reason,
            "failures": share.part,
            "by": self.shares(&divided, "failures", reason.is_none()),
        })
    }

    fn shares(&self, divided: &Divided, part: &str, has_value: bool) -> Value {
        let parts = divided.parts().map(|(name, samples)| {
            let share = Share::of(samples);
            let value = decimal(share.ratio().filter(|_| has_value));
            self.part(
                name,
                json!({ "value": value, "samples": share.of, part: share.part }),
            )
        });
        parts.collect()
    }

    fn recovery(&self) -> Value {
        let divided = self.divided(self.recoveries());
        let reason = self.recovery_reason(divided.whole().is_empty());
        self.durations("failed_deployment_recovery_time", &divided, reason)
    }

    fn restore(&self) -> Value {
        let divided = self.divided(self.resolved_incidents());
        let reason = self.restore_reason(divided.whole().is_empty());
        self.durations("time_to_restore", &divided, reason)
    }

    fn durations(&self, metric: &str, divided: &Divided, reason: Option<&str>) -> Value {
        let whole = Times::of(divided.whole());
        let by = divided.parts().map(|(name, samples)| {
            let times = Times::of(samples);
            self.part(
                name,
                json!({ "value": times.value, "samples": times.samples }),
            )
        });
        json!({
            "metric": metric,
            "unit": "minutes",
            "value": whole.value,
            "band": named(bands::recovery(whole.value)),
            "samples": whole.samples,
            "reason": reason,
            "seconds": whole.seconds,
            "p75": whole.p75,
            "p90": whole.p90,
            "by": by.collect::<Value>(),
        })
    }

    fn rework(&self) -> Value {
        let divided = self.divided(self.reworked_deployments());
        let share = Share::of(divided.whole());
        let reason = self.rework_reason(share.of == 0);
        json!({
            "metric": "rework_rate",
            "unit": "ratio",
            "value": decimal(share.ratio().filter(|_| reason.is_none())),
            "band": Value::Null,
            "samples": share.of,
            "reason": reason,
            "reworks": share.part,
            "by": self.shares(&divided, "reworks", reason.is_none()),
        })
    }

    fn has_incident_source_only(&self) -> bool {
        let sources = &self.rules.failure_sources;
        sources.len() == 1 && sources.contains(&FailureSource::Incident)
    }
}

fn named(band: Option<Band>) -> Option<&'static str> {
    band.map(Band::name)
}

fn phase(lead_times: &[&LeadTime], minutes: impl Fn(&LeadTime) -> Option<i64>) -> Value {
    let mut values: Vec<i64> = lead_times.iter().filter_map(|it| minutes(it)).collect();
    json!({
        "p50": percentile(&mut values, 50),
        "p75": percentile(&mut values, 75),
        "p90": percentile(&mut values, 90),
        "samples": values.len(),
    })
}

/// Percentiles of samples.
struct Times {
    samples: usize,
    value: Option<i64>,
    seconds: Option<i64>,
    p75: Option<i64>,
    p90: Option<i64>,
}

impl Times {
    fn of(samples: &[Sample]) -> Self {
        let mut minutes: Vec<i64> = samples.iter().filter_map(|it| it.minutes).collect();
        let mut seconds: Vec<i64> = samples.iter().filter_map(|it| it.seconds).collect();
        Self {
            samples: samples.len(),
            value: percentile(&mut minutes, 50),
            seconds: median(&mut seconds),
            p75: percentile(&mut minutes, 75),
            p90: percentile(&mut minutes, 90),
        }
    }
}

/// How many of some samples count.
#[derive(Clone, Copy)]
struct Share {
    part: i64,
    of: i64,
}

impl Share {
    fn of(samples: &[Sample]) -> Self {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            part: count(samples.iter().filter(|it| it.is_counted).count()),
            of: count(samples.len()),
        }
    }

    fn ratio(self) -> Option<i64> {
        ratio(self.part, self.of)
    }
}
