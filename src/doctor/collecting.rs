//! Findings of connections and repositories: what is collected, and how it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use headwater_store::symptoms::Counted;
use regex::Regex;

use headwater_store::symptoms::ReadList;

use super::{Code, Examined, Finding, MOST, and_more, called, named};
use crate::config::RateLimit;
use crate::report::counted;
use crate::resolve::connection_name;

/// How old a list may be, in days.
const OLDEST: i64 = 7;
/// How long before its end a token is told of, in days.
const SOON: i64 = 30;
/// How far clocks may be apart, in seconds.
const APART: i64 = 60;
/// A share of merges that were not found, in percent, from which on they matter.
const MANY: i64 = 10;

/// Requests for a repository that did not change, without git and with it: docs/requests.md.
const UNCHANGED_BY_API: u64 = 3;
const UNCHANGED_BY_GIT: u64 = 2;
/// One part in so many of an hour's requests is much for a sync that finds nothing.
const MUCH: u64 = 4;

const AGAIN: &str = "then run `headwater transform`, which asks the server for nothing";

impl Examined<'_> {
    pub(super) fn of_collections(&self) -> Vec<Finding> {
        let mut findings = self.patterns();
        findings.extend(self.steps());
        findings.extend(self.nowhere());
        findings.extend(self.merges());
        findings.extend(self.short_hashes());
        findings.extend(self.dead_letters());
        findings.extend(self.lists());
        findings.extend(self.connections());
        findings.extend(self.saved_by_git());
        findings
    }

    /// Names by connection, of scopes that are looked at.
    pub(super) fn by_connection<'c>(
        &self,
        counted: &'c [Counted],
    ) -> BTreeMap<String, Vec<&'c Counted>> {
        let mut connections: BTreeMap<String, Vec<&Counted>> = BTreeMap::new();
        for it in counted.iter().filter(|it| self.has_scope(&it.scope)) {
            let connection = self.connection_of(&it.scope);
            connections.entry(connection).or_default().push(it);
        }
        connections
    }

    fn patterns(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (connection, steps) in self.by_connection(&self.symptoms.steps) {
            let rules = self.config.rules_of(&connection);
            let names: BTreeSet<&str> = steps.iter().map(|it| it.name.as_str()).collect();
            let patterns = [
                (
                    "deployment_pattern",
                    &rules.deployment_pattern,
                    "deploy|release",
                ),
                ("production_pattern", &rules.production_pattern, "prod|live"),
            ];
            for (key, pattern, words) in patterns {
                let Some(pattern) = pattern else { continue };
                if names.iter().any(|name| pattern.is_match(name)) {
                    continue;
                }
                let heading = self.scope_config_of(&connection);
                let what = format!(
                    "{key} = '{}' matched none of the steps that ran: {}",
                    pattern.as_str(),
                    named(names.iter().copied())
                );
                let line = format!("{heading}\n{key} = '{}'", suggested(&names, words));
                let finding = Finding::new(Code::PatternNeverMatched, connection.as_str(), what);
                findings.push(finding.write(line).next(AGAIN));
            }
        }
        findings
    }

    fn nowhere(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (connection, environments) in self.by_connection(&self.symptoms.nowhere) {
            let count: i64 = environments.iter().map(|it| it.count).sum();
            let names: BTreeSet<&str> = environments.iter().map(|it| it.name.as_str()).collect();
            let what = format!(
                "{count} deployments went to environments that no rule knows, so that they count \
                 nowhere: {}",
                named(names.iter().copied())
            );
            let mut lines = self.scope_config_of(&connection);
            for name in names.iter().filter(|name| !name.is_empty()).take(3) {
                let name = serde_json::Value::from(*name);
                // Writing to a String cannot fail.
                let _ = write!(lines, "\nenvironments.{name} = \"PRODUCTION\"");
            }
            let code = Code::DeploymentsWithoutEnvironment;
            let finding = Finding::new(code, connection.as_str(), what).write(lines);
            findings.push(finding.next(AGAIN));
        }
        findings
    }

    fn merges(&self) -> Vec<Finding> {
        let repositories = self.symptoms.merged.iter();
        let many = repositories
            .filter(|it| self.has_repository(&it.repo_id))
            .filter(|it| it.unlinked * 100 >= MANY * it.merged && it.unlinked > 0);
        many.map(|it| {
            let what = format!(
                "{} of {} merged pull requests ({} %) were not found in the history, as when they \
                 were squashed: they have no lead time",
                it.unlinked,
                it.merged,
                it.unlinked * 100 / it.merged
            );
            let params = self.symptoms.repositories.get(&it.repo_id);
            let connection = self.connection_of(params.map_or("", String::as_str));
            Finding::new(Code::MergesNotFound, called(&it.repo_id), what)
                .write(with_git(&connection))
                .next("then run `headwater sync`; `headwater explain pr` says why of each")
        })
        .collect()
    }

    fn short_hashes(&self) -> Vec<Finding> {
        let mut repositories: BTreeMap<&str, i64> = BTreeMap::new();
        for it in &self.symptoms.short_hashes {
            if self.has_repository(&it.scope) {
                *repositories.entry(&it.scope).or_default() += it.count;
            }
        }
        let findings = repositories.into_iter().map(|(id, count)| {
            let what = format!(
                "{count} short hashes of commits stand for no stored commit, or for several: what \
                 they name cannot be joined with commits"
            );
            let params = self.symptoms.repositories.get(id);
            let connection = self.connection_of(params.map_or("", String::as_str));
            Finding::new(Code::ShortHashes, called(id), what)
                .write(with_git(&connection))
                .next("then run `headwater sync`, which reads all commits from git")
        });
        findings.collect()
    }

    fn dead_letters(&self) -> Vec<Finding> {
        let letters = self.symptoms.dead_letters.iter();
        let own = letters.filter(|it| self.has_scope(&it.scope));
        own.map(|it| {
            let scope = headwater_domain::Scope::from_params(&it.scope);
            let about = scope.map_or_else(|_| it.scope.clone(), |scope| scope.full_name);
            let what = format!("{} items of {} could not be processed", it.count, it.name);
            Finding::new(Code::DeadLetters, about, what).next(
                "`headwater dead-letters` says what was wrong with each; the next run tries them \
                 again",
            )
        })
        .collect()
    }

    /// One finding for each connection that has lists which are old.
    fn lists(&self) -> Vec<Finding> {
        let oldest = self.now - TimeDelta::days(OLDEST);
        let mut connections: BTreeMap<i64, BTreeMap<&str, Vec<&ReadList>>> = BTreeMap::new();
        for list in &self.symptoms.lists {
            let scope = headwater_domain::Scope::new(list.connection_id, list.scope.as_str());
            let is_fresh = list.succeeded_at.is_some_and(|at| at >= oldest);
            if !is_fresh && self.has_scope(&scope.params()) {
                let scopes = connections.entry(list.connection_id).or_default();
                scopes.entry(&list.scope).or_default().push(list);
            }
        }
        let findings = connections.into_iter().map(|(id, scopes)| {
            let lists: usize = scopes.values().map(Vec::len).sum();
            let named = scopes.iter().take(MOST);
            let named: Vec<String> = named.map(|(name, lists)| old_lists(name, lists)).collect();
            let verb = if lists == 1 { "was" } else { "were" };
            let what = format!(
                "{} of {} {verb} not read in the last {OLDEST} days: {}",
                counted(lists as u64, "list", "lists"),
                counted(scopes.len() as u64, "repository", "repositories"),
                and_more(&named, scopes.len())
            );
            let only = scopes.keys().next().filter(|_| scopes.len() == 1);
            let which = only.map_or_else(String::new, |name| format!(" {name}"));
            let next = format!(
                "run `headwater sync{which}`; `headwater status --steps{which}` says how each list \
                 ended"
            );
            let about = connection_name(self.config, id);
            Finding::new(Code::ListNotRead, about, what).next(next)
        });
        findings.collect()
    }

    /// Tokens, announced removals, clocks.
    fn connections(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for connection in &self.config.connections {
            if let Some(expires) = connection.token_expires {
                findings.extend(self.token(&connection.name, expires));
            }
        }
        for it in &self.symptoms.announcements {
            let connection = connection_name(self.config, it.connection_id);
            let when = [("deprecated", &it.deprecation), ("removed", &it.sunset)];
            let when = when.into_iter().filter(|(_, text)| !text.is_empty());
            let when: Vec<String> = when
                .map(|(word, text)| format!("{word} {}", day(text)))
                .collect();
            let what = format!(
                "the server announces that {} is {}",
                it.endpoint,
                when.join(" and ")
            );
            let next = "look for a newer version of headwater, and ask for one if there is none";
            findings.push(Finding::new(Code::EndpointGoes, connection, what).next(next));
        }
        for (id, ahead) in &self.symptoms.ahead_seconds {
            if ahead.abs() <= APART {
                continue;
            }
            let word = if *ahead > 0 { "ahead of" } else { "behind" };
            let what = format!(
                "the clock of this machine is {} seconds {word} the server's",
                ahead.abs()
            );
            let about = connection_name(self.config, *id);
            let next = "set the clock by NTP, as with `timedatectl set-ntp true`";
            findings.push(Finding::new(Code::ClockSkew, about, what).next(next));
        }
        findings
    }

    /// Connections whose unchanged repositories take much of the requests of an hour, part of which
    /// git would take over.
    fn saved_by_git(&self) -> Vec<Finding> {
        let mut repositories: BTreeMap<String, u64> = BTreeMap::new();
        for params in self.symptoms.repositories.values() {
            *repositories.entry(self.connection_of(params)).or_default() += 1;
        }
        let mut findings = Vec::new();
        for connection in &self.config.connections {
            let name = connection.name.as_str();
            let RateLimit::PerHour(per_hour) = connection.rate_limit() else {
                continue;
            };
            let count = repositories.get(name).copied().unwrap_or_default();
            let (by_api, by_git) = (count * UNCHANGED_BY_API, count * UNCHANGED_BY_GIT);
            if self.config.reads_git(name) || by_api * MUCH <= u64::from(per_hour) {
                continue;
            }
            let what = format!(
                "a sync of its {count} repositories takes {by_api} of {per_hour} requests an hour \
                 though nothing changed; with git, which has a limit of its own, {by_git}"
            );
            let finding = Finding::new(Code::GitSavesRequests, name, what);
            findings.push(finding.write(with_git(name)).next(
                "then run `headwater sync`; it needs git on this machine, and room for mirrors",
            ));
        }
        findings
    }

    fn token(&self, connection: &str, expires: NaiveDate) -> Option<Finding> {
        let days = (expires - self.now.date_naive()).num_days();
        let what = match days {
            ..0 => format!("its token expired on {expires}"),
            0 => "its token expires today".to_owned(),
            1..=SOON => format!("its token expires in {days} days, on {expires}"),
            _ => return None,
        };
        let finding = Finding::new(Code::TokenExpires, connection, what);
        Some(
            finding
                .write("token_expires = \"YYYY-MM-DD\"  # the date of the new token")
                .next("make a new token, and put it where `auth.token` reads it"),
        )
    }
}

/// Old lists of a repository, those of one day together: `acme/rocket (issues, tags: 2026-01-31)`.
fn old_lists(name: &str, lists: &[&ReadList]) -> String {
    let mut ends: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for list in lists {
        let end = match list.succeeded_at {
            Some(at) => at.format("%Y-%m-%d").to_string(),
            None if list.stream.is_empty() => "never".to_owned(),
            None => format!("never, the last reading: {}", list.state),
        };
        ends.entry(end).or_default().push(&list.stream);
    }
    let ends = ends.into_iter().map(|(end, mut streams)| {
        streams.sort_unstable();
        match streams[..] {
            [""] => end,
            _ => format!("{}: {end}", streams.join(", ")),
        }
    });
    let ends: Vec<String> = ends.collect();
    format!("{} ({})", crate::output::shown(name), ends.join("; "))
}

/// A pattern for the names that hold one of these words; for none of them, one for all names.
fn suggested(names: &BTreeSet<&str>, words: &str) -> String {
    let likely = Regex::new(&format!("(?i){words}")).ok();
    let is_likely = |name: &&&str| likely.as_ref().is_some_and(|it| it.is_match(name));
    let mut chosen: Vec<&str> = names.iter().filter(is_likely).copied().collect();
    if chosen.is_empty() {
        chosen = names.iter().take(1).copied().collect();
    }
    let escaped: Vec<String> = chosen.into_iter().map(regex::escape).collect();
    format!("^({})$", escaped.join("|"))
}

fn with_git(connection: &str) -> String {
    format!("git.enabled = true  # below the [[connection]] \"{connection}\"")
}

/// The day of a header: `Deprecation` is seconds since 1970 or a word, `Sunset` an HTTP date.
fn day(text: &str) -> String {
    let seconds = text.strip_prefix('@').and_then(|it| it.parse().ok());
    let stamp = seconds.and_then(|it| DateTime::from_timestamp(it, 0));
    let dated = DateTime::parse_from_rfc2822(text).ok();
    let when: Option<DateTime<Utc>> = stamp.or(dated.map(|it| it.with_timezone(&Utc)));
    when.map_or_else(
        || crate::output::shown(text),
        |when| format!("on {}", when.format("%Y-%m-%d")),
    )
}
