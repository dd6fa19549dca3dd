//! What is counted in a window of days, by brute force.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, NaiveDate, Weekday};
use headwater_metrics::{By, FailureSource, Moment, Rules};
use serde_json::{Value, json};

use super::brute::{Brute, Release, environment, exact, null_or, repository, span};

pub(super) struct Window<'r> {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    pub(super) by: By,
    pub(super) rules: &'r Rules,
}

/// Something that happened, with its minutes and seconds, and whether a share counts it.
struct Sample {
    day: NaiveDate,
    minutes: i64,
    seconds: i64,
    counts: bool,
    repositories: BTreeSet<String>,
    environments: BTreeSet<String>,
}

impl Window<'_> {
    fn day(&self, at: Moment) -> NaiveDate {
        let at = DateTime::from_timestamp_millis(at).unwrap();
        at.with_timezone(&self.rules.timezone).date_naive()
    }

    fn has(&self, at: Moment) -> bool {
        (self.from..self.to).contains(&self.day(at))
    }

    fn period(&self, day: NaiveDate, by: By) -> String {
        match by {
            By::Week => first_of_week(day, self.rules.week_start).to_string(),
            By::Month => format!("{}-{:02}", day.year(), day.month()),
            By::Quarter => format!("{}-Q{}", day.year(), day.month().div_ceil(3)),
            _ => day.to_string(),
        }
    }

    fn days(&self) -> Vec<NaiveDate> {
        self.from
            .iter_days()
            .take_while(|day| *day < self.to)
            .collect()
    }

    /// Periods that touch the window; those that it has completely, if there are any.
    fn complete(&self, by: By) -> Vec<String> {
        let touched: BTreeSet<String> = self
            .days()
            .into_iter()
            .map(|day| self.period(day, by))
            .collect();
        let is_complete = |name: &&String| {
            let edges = [self.from.pred_opt().unwrap(), self.to];
            !edges.iter().any(|day| self.period(*day, by) == **name)
        };
        let complete: Vec<String> = touched.iter().filter(is_complete).cloned().collect();
        if complete.is_empty() {
            return touched.into_iter().collect();
        }
        complete
    }
}

/// A week that begins on this day of the week has the day as its first or a later one.
fn first_of_week(day: NaiveDate, start: Weekday) -> NaiveDate {
    let mut day = day;
    while day.weekday() != start {
        day = day.pred_opt().unwrap();
    }
    day
}

fn percentile(mut values: Vec<i64>, percent: usize) -> Option<i64> {
    values.sort_unstable();
    let count = values.len();
    // The first value that at least this share of all is not above.
    let at = (1..=count).find(|place| place * 100 >= percent * count)?;
    Some(values[at - 1])
}

fn share(part: usize, whole: usize) -> Value {
    if whole == 0 {
        return Value::Null;
    }
    // Halves of a ten-thousandth: an odd number of them is rounded up.
    let rounded = (part * 20_000 / whole).div_ceil(2);
    json!(f64::from(u32::try_from(rounded).unwrap()) / 10_000.0)
}

fn first(conditions: &[(bool, &'static str)]) -> Option<&'static str> {
    conditions
        .iter()
        .find(|(holds, _)| *holds)
        .map(|(_, reason)| *reason)
}

impl Brute<'_> {
    fn of_release(window: &Window<'_>, it: &Release) -> Sample {
        Sample {
            day: window.day(it.end),
            minutes: 0,
            seconds: 0,
            counts: true,
            repositories: it.rows.iter().map(repository).collect(),
            environments: it
                .rows
                .iter()
                .map(|row| environment(row).to_owned())
                .collect(),
        }
    }

    /// Names of the parts, each with its samples.
    fn parts<'s>(
        &self,
        window: &Window<'_>,
        samples: &'s [Sample],
    ) -> Vec<(String, Vec<&'s Sample>)> {
        let names_of = |sample: &Sample| match window.by {
            By::Repository => sample.repositories.clone(),
            By::Environment => sample.environments.clone(),
            by => BTreeSet::from([window.period(sample.day, by)]),
        };
        let mut names: BTreeSet<String> = match window.by {
            By::Repository => ["r0", "r1"].map(str::to_owned).into(),
            By::Environment => {
                let counted = self.releases.iter().filter(|it| self.is_counted(it));
                let rows = counted.flat_map(|it| &it.rows);
                rows.map(|row| environment(row).to_owned()).collect()
            }
            by => window
                .days()
                .into_iter()
                .map(|day| window.period(day, by))
                .collect(),
        };
        names.extend(samples.iter().flat_map(names_of));
        let parts = names.into_iter().map(|name| {
            let own = samples
                .iter()
                .filter(|it| names_of(it).contains(&name))
                .collect();
            (name, own)
        });
        parts.collect()
    }

    fn by(
        &self,
        window: &Window<'_>,
        samples: &[Sample],
        fields: impl Fn(&[&Sample]) -> Value,
    ) -> Value {
        let key = window.by.key();
        let parts = self.parts(window, samples).into_iter().map(|(name, own)| {
            let mut part = fields(&own);
            part[key] = json!(name);
            part
        });
        parts.collect()
    }

    pub(super) fn report(&self, window: &Window<'_>) -> Value {
        json!({
            "metrics": [
                self.frequency(window),
                self.lead_time(window),
                self.failure_rate(window),
                self.recovery(window),
                self.restore(window),
                self.rework(window),
            ],
            "coverage": self.coverage(window),
        })
    }

    fn in_window(&self, window: &Window<'_>) -> Vec<&Release> {
        let releases = self.releases.iter();
        releases.filter(|it| window.has(it.end)).collect()
    }

    fn no_rows(&self) -> (bool, &'static str) {
        (self.world.rows.is_empty(), "NO_DEPLOYMENTS")
    }

    fn frequency(&self, window: &Window<'_>) -> Value {
        let releases = self.in_window(window);
        let samples: Vec<Sample> = releases
            .iter()
            .filter(|it| it.is_success)
            .map(|it| Self::of_release(window, it))
            .collect();
        let days: BTreeSet<NaiveDate> = samples.iter().map(|it| it.day).collect();
        let per = |by: By| -> Vec<i64> {
            let count = |name: &String| {
                days.iter()
                    .filter(|day| window.period(**day, by) == *name)
                    .count()
            };
            let complete = window.complete(by);
            complete
                .iter()
                .map(|name| i64::try_from(count(name)).unwrap())
                .collect()
        };
        let reason = first(&[
            self.no_rows(),
            (self.rows.is_empty(), "NO_PRODUCTION_DEPLOYMENTS"),
            (samples.is_empty(), "NO_DEPLOYMENTS_IN_RANGE"),
        ]);
        let has_value = !self.rows.is_empty();
        let shown = |value: Value| if has_value { value } else { Value::Null };
        let months = per(By::Month);
        let (week, month) = (
            percentile(per(By::Week), 50),
            percentile(months.clone(), 50),
        );
        let band = match (week.unwrap_or(0), month.unwrap_or(0)) {
            (5.., _) => "elite",
            (1.., _) => "high",
            (_, 1..) => "medium",
            _ => "low",
        };
        json!({
            "metric": "deployment_frequency",
            "value": shown(json!(samples.len())),
            "samples": samples.len(),
            "reason": reason,
            "band": shown(json!(band)),
            "per_day": shown(share(samples.len(), window.days().len())),
            "deployment_days": shown(json!(days.len())),
            "median_days_per_week": shown(null_or(week)),
            "median_days_per_month": shown(null_or(month)),
            // No window has more than six months.
            "median_days_per_six_months": shown(json!(months.iter().sum::<i64>())),
            "by": self.by(window, &samples, |own| {
                json!({"value": shown(json!(own.len())), "samples": own.len()})
            }),
        })
    }

    fn lead_time(&self, window: &Window<'_>) -> Value {
        let mut samples = Vec::new();
        let mut phases: [Vec<i64>; 4] = Default::default();
        let mut merged = Vec::new();
        for it in &self.world.pull_requests {
            let (minutes, seconds) = self.cycle(it);
            if window.has(it.merged) {
                merged.push(minutes);
            }
            let Some((row, _)) = self.shipped(it) else {
                continue;
            };
            let end = self.rows[row].finished.unwrap();
            if !window.has(end) {
                continue;
            }
            for (values, (minutes, _)) in phases.iter_mut().zip(self.phases(it)) {
                values.extend(minutes);
            }
            samples.push(Sample {
                day: window.day(end),
                minutes,
                seconds,
                counts: true,
                repositories: BTreeSet::from([it.base_repo_id.clone()]),
                environments: BTreeSet::from([environment(&self.rows[row]).to_owned()]),
            });
        }
        let shipped = self
            .world
            .pull_requests
            .iter()
            .any(|it| self.shipped(it).is_some());
        let has_predecessor = (0..self.rows.len()).any(|row| self.predecessor(row).is_some());
        let reason = first(&[
            (
                self.world.pull_requests.is_empty(),
                "NO_MERGED_PULL_REQUESTS",
            ),
            self.no_rows(),
            (self.rows.is_empty(), "NO_PRODUCTION_DEPLOYMENTS"),
            (!has_predecessor, "ONLY_FIRST_DEPLOYMENT"),
            (!shipped, "NO_LINKED_PULL_REQUESTS"),
            (samples.is_empty(), "NO_PULL_REQUESTS_DEPLOYED_IN_RANGE"),
        ]);
        let [coding, pickup, review, deploy] = phases.map(|values| {
            json!({
                "p50": null_or(percentile(values.clone(), 50)),
                "p75": null_or(percentile(values.clone(), 75)),
                "p90": null_or(percentile(values.clone(), 90)),
                "samples": values.len(),
            })
        });
        let limits = [1440, 10_080, 43_200];
        let mut answer = self.durations(window, ("lead_time", reason, &limits), &samples);
        answer["phases"] =
            json!({"coding": coding, "pickup": pickup, "review": review, "deploy": deploy});
        answer["merged_in_range"] =
            json!({"value": null_or(percentile(merged.clone(), 50)), "samples": merged.len()});
        answer["commits"] = self.commit_times(window);
        answer
    }

    fn commit_times(&self, window: &Window<'_>) -> Value {
        let times = |milliseconds: &[i64]| {
            let count = i64::try_from(milliseconds.len()).unwrap();
            let mean = (count > 0).then(|| milliseconds.iter().sum::<i64>() / count / 1000);
            let seconds = milliseconds.iter().map(|it| it / 1000).collect();
            json!({"samples": count, "mean": null_or(mean), "median": null_or(percentile(seconds, 50))})
        };
        let (mut all, mut each) = (Vec::new(), Vec::new());
        for release in self
            .in_window(window)
            .into_iter()
            .filter(|it| it.is_success)
        {
            let mut own = Vec::new();
            for row in 0..self.rows.len() {
                if super::brute::release_of(&self.rows[row]) != release.id {
                    continue;
                }
                let end = self.rows[row].finished.unwrap();
                for hash in self.first_brought(row) {
                    let known = self.world.commits.values().find_map(|it| it.get(&hash));
                    let Some(commit) = known else { continue };
                    let parents: BTreeSet<&String> = commit.parents.iter().collect();
                    let authored = commit.authored.filter(|at| parents.len() < 2 && *at <= end);
                    own.extend(authored.map(|at| end - at));
                }
            }
            if !own.is_empty() {
                let mut shown = times(&own);
                shown["deployment"] = json!(release.id);
                each.push(shown);
                all.extend(own);
            }
        }
        let mut answer = times(&all);
        answer["deployments"] = json!(each);
        answer
    }

    fn durations(
        &self,
        window: &Window<'_>,
        (metric, reason, limits): (&str, Option<&str>, &[i64; 3]),
        samples: &[Sample],
    ) -> Value {
        let minutes = |own: &[&Sample]| own.iter().map(|it| it.minutes).collect::<Vec<i64>>();
        let all: Vec<&Sample> = samples.iter().collect();
        let value = percentile(minutes(&all), 50);
        let band = value.map(|value| {
            let place = limits.iter().position(|limit| value < *limit);
            ["elite", "high", "medium", "low"][place.unwrap_or(3)]
        });
        json!({
            "metric": metric,
            "value": null_or(value),
            "band": band,
            "p75": null_or(percentile(minutes(&all), 75)),
            "p90": null_or(percentile(minutes(&all), 90)),
            "seconds": null_or(percentile(samples.iter().map(|it| it.seconds).collect(), 50)),
            "samples": samples.len(),
            "reason": reason,
            "by": self.by(window, samples, |own| {
                json!({"value": null_or(percentile(minutes(own), 50)), "samples": own.len()})
            }),
        })
    }

    fn only_incidents(&self) -> bool {
        let sources = &self.world.rules.failure_sources;
        sources.iter().all(|it| *it == FailureSource::Incident)
    }

    fn no_incidents(&self) -> (bool, &'static str) {
        (
            self.only_incidents() && self.world.incidents.is_empty(),
            "NO_INCIDENTS",
        )
    }

    fn none_counted(&self) -> (bool, &'static str) {
        let none = !self.releases.iter().any(|it| self.is_counted(it));
        (none, "NO_PRODUCTION_DEPLOYMENTS")
    }

    fn shares(
        &self,
        window: &Window<'_>,
        (metric, part, reason): (&str, &str, Option<&str>),
        samples: &[Sample],
    ) -> Value {
        let shown = |own: &[&Sample]| {
            let counted = own.iter().filter(|it| it.counts).count();
            let value = if reason.is_none() {
                share(counted, own.len())
            } else {
                Value::Null
            };
            json!({"value": value, "samples": own.len(), part: counted})
        };
        let mut answer = shown(&samples.iter().collect::<Vec<_>>());
        answer["metric"] = json!(metric);
        answer["reason"] = json!(reason);
        answer["by"] = self.by(window, samples, shown);
        answer
    }

    fn failure_rate(&self, window: &Window<'_>) -> Value {
        let releases = self.in_window(window).into_iter();
        let counted = releases.filter(|it| self.is_counted(it));
        let samples = counted.map(|it| Sample {
            counts: self.failure(it).is_some(),
            ..Self::of_release(window, it)
        });
        let samples: Vec<Sample> = samples.collect();
        let reason = first(&[
            self.no_rows(),
            self.none_counted(),
            (samples.is_empty(), "NO_DEPLOYMENTS_IN_RANGE"),
            self.no_incidents(),
        ]);
        let mut answer = self.shares(
            window,
            ("change_failure_rate", "failures", reason),
            &samples,
        );
        let failures = samples.iter().filter(|it| it.counts).count();
        let limits = [5, 10, 15];
        let place = limits
            .iter()
            .position(|limit| failures * 100 <= limit * samples.len());
        let band = ["elite", "high", "medium", "low"][place.unwrap_or(3)];
        answer["band"] = if reason.is_none() {
            json!(band)
        } else {
            Value::Null
        };
        answer
    }

    fn recovery(&self, window: &Window<'_>) -> Value {
        let counted = self.releases.iter().filter(|it| self.is_counted(it));
        let failures: Vec<_> = counted
            .filter_map(|it| Some((it, self.failure(it)?)))
            .collect();
        let mut samples = Vec::new();
        for (release, failure) in &failures {
            for at in failure.recoveries.iter().filter(|at| window.has(**at)) {
                samples.push(Sample {
                    day: window.day(*at),
                    minutes: (at - release.end) / 60_000,
                    seconds: (at - release.end) / 1000,
                    ..Self::of_release(window, release)
                });
            }
        }
        let none = if self.only_incidents() {
            "NO_INCIDENTS_LINKED"
        } else {
            "NO_FAILURES"
        };
        let reason = first(&[
            self.no_rows(),
            self.none_counted(),
            self.no_incidents(),
            (failures.is_empty(), none),
            (samples.is_empty(), "NO_RECOVERIES_IN_RANGE"),
        ]);
        let metric = "failed_deployment_recovery_time";
        self.durations(window, (metric, reason, &[60, 1440, 10_080]), &samples)
    }

    fn restore(&self, window: &Window<'_>) -> Value {
        let mut samples = Vec::new();
        for it in &self.world.incidents {
            let Some(resolved) = it.resolved.filter(|at| window.has(*at)) else {
                continue;
            };
            let between = it.created.map(|created| resolved - created);
            let minutes = it
                .lead_time_minutes
                .or(between.map(|it| it.div_euclid(60_000)));
            let Some(minutes) = minutes.filter(|it| *it >= 0) else {
                continue;
            };
            let exactly = between.filter(|it| *it >= 0).map(|it| it / 1000);
            let linked = self.link(it).ok().and_then(|(id, ..)| {
                self.releases
                    .iter()
                    .find(|release| release.id == id && self.is_counted(release))
            });
            let environments = linked.map(|it| Self::of_release(window, it).environments);
            samples.push(Sample {
                day: window.day(resolved),
                minutes,
                seconds: exactly.unwrap_or(minutes * 60),
                counts: true,
                repositories: BTreeSet::from([self.repository_of(it).unwrap_or_default()]),
                environments: environments.unwrap_or_else(|| BTreeSet::from([String::new()])),
            });
        }
        let reason = first(&[
            (self.world.incidents.is_empty(), "NO_INCIDENTS"),
            (samples.is_empty(), "NO_INCIDENTS_RESOLVED_IN_RANGE"),
        ]);
        self.durations(
            window,
            ("time_to_restore", reason, &[60, 1440, 10_080]),
            &samples,
        )
    }

    fn rework(&self, window: &Window<'_>) -> Value {
        let releases = self
            .in_window(window)
            .into_iter()
            .filter(|it| it.is_success);
        let is_rework = |it: &Release| {
            let sources = &self.world.rules.rework_sources;
            let counts = |kind: &str| sources.iter().any(|source| source.name() == kind);
            self.repairs
                .iter()
                .any(|(id, kind, _)| *id == it.id && counts(kind))
        };
        let samples: Vec<Sample> = releases
            .map(|it| Sample {
                counts: is_rework(it),
                ..Self::of_release(window, it)
            })
            .collect();
        let reason = first(&[
            self.no_rows(),
            (self.rows.is_empty(), "NO_PRODUCTION_DEPLOYMENTS"),
            (samples.is_empty(), "NO_DEPLOYMENTS_IN_RANGE"),
        ]);
        self.shares(window, ("rework_rate", "reworks", reason), &samples)
    }

    fn coverage(&self, window: &Window<'_>) -> Value {
        let mut counts: [BTreeMap<String, usize>; 4] = Default::default();
        let [methods, reasons, linked, unlinked] = &mut counts;
        let rows = self.pull_requests();
        let of_window = self
            .world
            .pull_requests
            .iter()
            .filter(|it| window.has(it.merged));
        let (mut merges, mut found) = (0, 0);
        for it in of_window {
            merges += 1;
            let row = &rows[&it.id];
            let (method, reason) = (row["deployment_method"].as_str(), row["reason"].as_str());
            if reason == Some("") {
                found += 1;
                *methods.entry(method.unwrap().to_owned()).or_default() += 1;
            } else {
                *reasons.entry(reason.unwrap().to_owned()).or_default() += 1;
            }
        }
        let mut finished: BTreeMap<String, (Option<Moment>, bool)> = BTreeMap::new();
        for row in self.each_once() {
            let of = finished.entry(super::brute::release_of(&row)).or_default();
            of.0 = of.0.max(row.finished);
            of.1 |= !row.environment.is_empty();
        }
        finished.retain(|_, (end, _)| end.is_some_and(|end| window.has(end)));
        let with_environment = finished.values().filter(|it| it.1).count();
        let production: Vec<&Release> = self
            .in_window(window)
            .into_iter()
            .filter(|it| it.is_success)
            .collect();
        let is_missing = |it: &&&Release| {
            (0..self.rows.len()).any(|row| {
                super::brute::release_of(&self.rows[row]) == it.id && self.brought[row].is_none()
            })
        };
        let missing = production.iter().filter(is_missing).count();
        let mut created = 0;
        for it in self
            .world
            .incidents
            .iter()
            .filter(|it| it.created.is_some_and(|at| window.has(at)))
        {
            created += 1;
            match self.link(it) {
                Ok((_, method, _)) => *linked.entry(method.to_owned()).or_default() += 1,
                Err(reason) => *unlinked.entry(reason.to_owned()).or_default() += 1,
            }
        }
        let links: usize = linked.values().sum();
        json!({
            "pull_requests": {"merged": merges, "linked": found, "ratio": share(found, merges),
                              "methods": methods, "reasons": reasons},
            "deployments": {"finished": finished.len(), "with_environment": with_environment,
                            "ratio": share(with_environment, finished.len()),
                            "production": production.len(), "missing_history": missing},
            "incidents": {"created": created, "linked": links, "ratio": share(links, created),
                          "methods": linked, "reasons": unlinked},
        })
    }
}

/// The same spans as the pull requests' are not needed here, but have to stay the same.
#[test]
fn a_span_is_rounded_up_before_it_is_refused() {
    assert_eq!(span(Some(0), Some(60_001)), Some(2));
    assert_eq!(span(Some(59_999), Some(0)), Some(0));
    assert_eq!(span(Some(60_000), Some(0)), None);
    assert_eq!(exact(Some(30_000), Some(0)), Some(0));
}
