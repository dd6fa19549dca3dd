//! Reads `[scope_config.NAME]` and reports what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use headwater_domain::rules::Steps;
use regex::Regex;

use super::problem::quoted;
use super::reader::{Field, TableReader, closest, listed};
use super::scope_config::{
    DEFAULT_TAGS_LIMIT, Entity, EnvironmentRule, EnvironmentType, Environments, IssueStatus,
    IssueType, Pattern, ScopeConfig, TagsOrder, folded,
};
use super::scope_pattern::glob;

/// Reads one `[scope_config.NAME]`.
pub(super) fn read(mut table: TableReader<'_>) -> ScopeConfig {
    let default = ScopeConfig::default();
    let entities = table.field("entities").and_then(|f| read_entities(&f));
    let deployment_pattern = table
        .field("deployment_pattern")
        .and_then(|field| read_deployment_pattern(&field));
    let mut pattern = |name| table.field(name).and_then(|field| read_pattern(&field));
    let config = ScopeConfig {
        entities: entities.unwrap_or(default.entities),
        deployment_pattern,
        production_pattern: pattern("production_pattern"),
        deployment_ref_pattern: pattern("deployment_ref_pattern"),
        production_ref_pattern: pattern("production_ref_pattern"),
        tags_pattern: pattern("tags_pattern"),
        bot_pattern: pattern("bot_pattern").or(default.bot_pattern),
        commit_statuses: table
            .field("commit_statuses")
            .and_then(|field| field.boolean())
            .unwrap_or_default(),
        skip_streams: read_texts(&mut table, "skip_streams"),
        pull_request_sizes: table
            .field("pull_request_sizes")
            .and_then(|field| field.boolean())
            .unwrap_or_default(),
        steps: table
            .field("steps")
            .and_then(|field| read_word(&field, &Steps::ALL, Steps::as_str, "a choice of steps"))
            .unwrap_or_default(),
        tags_limit: table
            .field("tags_limit")
            .and_then(|field| field.integer(1..=10_000))
            .unwrap_or(DEFAULT_TAGS_LIMIT),
        tags_order: table
            .field("tags_order")
            .and_then(|field| read_word(&field, &TagsOrder::ALL, TagsOrder::as_str, "an order"))
            .unwrap_or_default(),
        tag_prefixes: read_tag_prefixes(&mut table),
        tag_pairs: read_tag_pairs(&mut table),
        line_counts: table
            .field("line_counts")
            .and_then(|field| field.boolean())
            .unwrap_or_default(),
        issue_status: read_issue_status(&mut table).unwrap_or_default(),
        environments: read_environments(&mut table).unwrap_or_default(),
        issue_type: read_issue_type(&mut table).unwrap_or_default(),
    };
    if config.steps == Steps::Matching
        && !config.has_deployment_pattern()
        && let Some(field) = table.field("steps")
    {
        let problem = field.warning("looks at patterns, and there is none");
        field.report(problem.expecting(
            "deployment_ref_pattern or another pattern of deployments; without one only \
             pipelines with a deployment match",
        ));
    }
    table.finish();
    config
}

/// Words that stand before the version in names of tags.
fn read_tag_prefixes(table: &mut TableReader<'_>) -> Vec<String> {
    let field = table.field("tag_prefixes");
    let elements = field.and_then(|field| field.list()).unwrap_or_default();
    elements
        .iter()
        .filter_map(|element| read_tag(element).map(str::to_owned))
        .collect()
}

/// Pairs of names of tags.
fn read_tag_pairs(table: &mut TableReader<'_>) -> Vec<[String; 2]> {
    let field = table.field("tag_pairs");
    let elements = field.and_then(|field| field.list()).unwrap_or_default();
    let pair = |element: &Field<'_>| {
        let names = element.list()?;
        let [older, newer] = names.as_slice() else {
            let problem = element.error(format!("has {} names", names.len()));
            element.report(problem.expecting("two names, such as [\"v1.0.0\", \"v2.0.0\"]"));
            return None;
        };
        let pair = [read_tag(older)?.to_owned(), read_tag(newer)?.to_owned()];
        if pair[0] == pair[1] {
            element.report(element.error("compares a tag with itself"));
        }
        Some(pair)
    };
    elements.iter().filter_map(pair).collect()
}

/// A name of a tag, or its beginning.
fn read_tag<'file>(field: &Field<'file>) -> Option<&'file str> {
    let text = field.text()?;
    let odd = |character: char| character.is_control() || character.is_whitespace();
    if text.is_empty() || text.contains(odd) {
        field.report(field.error(format!("{} is not a name of a tag", quoted(text))));
        return None;
    }
    Some(text)
}

/// One of a few words, with the nearest one as advice.
fn read_word<T: Copy>(
    field: &Field<'_>,
    all: &[T],
    spelling: fn(T) -> &'static str,
    noun: &str,
) -> Option<T> {
    let text = field.text()?;
    let found = all.iter().find(|word| spelling(**word) == text);
    if found.is_none() {
        let words: Vec<&str> = all.iter().map(|word| spelling(*word)).collect();
        let mut problem = field
            .error(format!("{} is not {noun}", quoted(text)))
            .expecting(format!("one of {}", listed(&words)));
        if let Some(meant) = closest(text, &words) {
            problem = problem.write(format!("\"{meant}\""));
        }
        field.report(problem);
    }
    found.copied()
}

/// Texts whose meaning is known where they are used.
fn read_texts(table: &mut TableReader<'_>, name: &'static str) -> Vec<String> {
    let field = table.field(name);
    let elements = field.and_then(|field| field.list()).unwrap_or_default();
    let texts = elements.iter().filter_map(Field::text);
    texts.map(str::to_owned).collect()
}

fn read_entities(field: &Field<'_>) -> Option<BTreeSet<Entity>> {
    let elements = field.list()?;
    if elements.is_empty() {
        field.report(field.warning("is empty: nothing is collected"));
    }
    let entities = elements
        .iter()
        .filter_map(|element| read_word(element, &Entity::ALL, Entity::as_str, "an entity"));
    Some(entities.collect())
}

pub(super) fn read_pattern(field: &Field<'_>) -> Option<Pattern> {
    let text = field.text()?;
    if text.is_empty() {
        let problem = field.error("is empty, which would match everything");
        field.report(problem.expecting("a regular expression, or no such key"));
        return None;
    }
    match Regex::new(text) {
        Ok(regex) => Some(Pattern::new(regex)),
        Err(reason) => {
            let message = format!(
                "{} is not a regular expression: {}",
                quoted(text),
                regex_reason(&reason)
            );
            field.report(field.error(message));
            None
        }
    }
}

/// Where every step is a deployment, each build counts as one: that is rarely meant.
fn read_deployment_pattern(field: &Field<'_>) -> Option<Pattern> {
    let pattern = read_pattern(field)?;
    if pattern.matches_everything() {
        let shown = quoted(pattern.as_str());
        let problem = field.warning(format!(
            "{shown} matches everything, so that every build counts as a deployment"
        ));
        field.report(problem.expecting("what only deploying steps have, such as '(?i)deploy'"));
    }
    Some(pattern)
}

/// The sentence in the crate's message, which otherwise repeats the expression over lines.
fn regex_reason(reason: &regex::Error) -> String {
    let text = reason.to_string();
    let sentence = text.lines().last().unwrap_or_default();
    let sentence = sentence.strip_prefix("error: ").unwrap_or(sentence);
    sentence.trim_end_matches('.').to_owned()
}

/// Texts of a list as they are compared, with the field of each.
fn read_words<'file>(field: &Field<'file>) -> Vec<(String, Field<'file>)> {
    let mut words = Vec::new();
    for element in field.list().unwrap_or_default() {
        let Some(text) = element.text() else { continue };
        if text.trim().is_empty() {
            element.report(element.error("is empty"));
        } else {
            words.push((folded(text), element));
        }
    }
    words
}

/// Finds words that are in two lists, so that neither list can win.
#[derive(Default)]
struct Owners(BTreeMap<String, String>);

impl Owners {
    /// Records the words of a list and returns them without repetitions.
    fn claim(&mut self, owner: &str, words: Vec<(String, Field<'_>)>) -> Vec<String> {
        let mut claimed = Vec::new();
        for (word, field) in words {
            match self.0.get(&word) {
                None => {
                    self.0.insert(word.clone(), owner.to_owned());
                    claimed.push(word);
                }
                Some(first) if first == owner => {
                    let message = format!("{} is in this list twice", quoted(&word));
                    field.report(field.warning(message));
                }
                Some(first) => {
                    let message = format!("{} is in `{first}` too", quoted(&word));
                    field.report(field.error(message).expecting("it in one list only"));
                }
            }
        }
        claimed
    }
}

fn read_issue_status(table: &mut TableReader<'_>) -> Option<IssueStatus> {
    let mut table = table.field("issue_status")?.table()?;
    let mut owners = Owners::default();
    let mut configured = false;
    let mut list = |name| {
        let Some(field) = table.field(name) else {
            return Vec::new();
        };
        configured = true;
        owners.claim(name, read_words(&field))
    };
    let status = IssueStatus {
        todo: list("todo"),
        in_progress: list("in_progress"),
        done: list("done"),
        other: list("other"),
    };
    table.finish();
    // An empty table configures no list.
    configured.then_some(status)
}

fn read_issue_type(table: &mut TableReader<'_>) -> Option<IssueType> {
    let table = table.field("issue_type")?.table()?;
    let mut owners = Owners::default();
    let mut types = BTreeMap::new();
    for (name, field) in table.entries() {
        let sound = name.starts_with(|first: char| first.is_ascii_uppercase())
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if !sound {
            let problem = field
                .error(format!("{} is not a type of issue", quoted(name)))
                .expecting("upper case, such as BUG, REQUIREMENT or INCIDENT");
            field.report(problem);
        }
        types.insert(name.to_owned(), owners.claim(name, read_words(&field)));
    }
    (!types.is_empty()).then_some(IssueType(types))
}

fn read_environments(table: &mut TableReader<'_>) -> Option<Environments> {
    let table = table.field("environments")?.table()?;
    let mut rules = Vec::new();
    for (name, field) in table.entries() {
        let spelling = EnvironmentType::as_str;
        let all = &EnvironmentType::ALL;
        let environment = read_word(&field, all, spelling, "a type of environment");
        match (glob(name), environment) {
            (Ok(matcher), Some(environment)) => rules.push(EnvironmentRule {
                pattern: name.to_owned(),
                environment,
                matcher,
            }),
            (Err(reason), _) => {
                let message = format!("{} is not a valid glob: {reason}", quoted(name));
                field.report(field.error(message));
            }
            (Ok(_), None) => {}
        }
    }
    Some(Environments(rules))
}
