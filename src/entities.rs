//! Which streams the entities of a scope config stand for.
//!
//! Why rows of an entity that is taken out stay: docs/decisions/0030-entities.md.

use std::collections::BTreeSet;

use headwater_converters::{Conversion, Derivation};
use headwater_domain::Stream as _;
use headwater_domain::rules::Steps;
use headwater_domain::tool::bitbucket::deployment::Deployments;
use headwater_extractors::accounts;
use headwater_store::compare::Tables;

use crate::config::{Config, Connection, Entity, ScopeConfig};
use crate::exit::{Exit, Failure};
use crate::plan::unknown_stream;
use crate::source::{GIT, REPOSITORIES, Source, StreamEntry};
use crate::sources::Sources;

/// Streams whose tables git fills where it is read.
pub const FROM_GIT: [&str; 3] = ["branches", "tags", "commits"];

/// The streams of these entities, with those that their items hang on, and what every scope has.
/// Streams that cost much are among them only where they are opted in to.
#[must_use]
pub fn streams_of(
    source: &Source,
    entities: &BTreeSet<Entity>,
    opted_in: &BTreeSet<&str>,
) -> BTreeSet<&'static str> {
    let mut wanted = BTreeSet::new();
    // Children come after their parents, so one pass from the end finds all parents.
    for entry in source.streams.iter().rev() {
        let collection = &entry.collection;
        let own = entry.entity.is_none_or(|entity| entities.contains(&entity));
        let own = own && (!entry.opt_in || opted_in.contains(collection.stream));
        if own || wanted.contains(collection.stream) {
            wanted.insert(collection.stream);
            wanted.extend(collection.parent.as_ref().map(|(parent, _)| parent.stream));
        }
    }
    wanted
}

/// Takes a stream out of a set, with those whose items hang on its items.
fn leave_out(source: &Source, streams: &mut BTreeSet<&'static str>, skipped: &str) {
    streams.remove(skipped);
    for child in source.children_of(skipped) {
        leave_out(source, streams, child.stream);
    }
}

/// Whether a conversion runs when only these streams bring rows: when one of those does that it
/// is named for. One that is named for none is asked what it reads.
#[must_use]
pub fn converts(source: &Source, streams: &BTreeSet<&str>, conversion: &Conversion) -> bool {
    let entries = || source.streams.iter();
    let runs = |entry: &StreamEntry| streams.contains(entry.collection.stream);
    let mut named = entries().filter(|entry| entry.converted_by == conversion.name);
    if let Some(first) = named.next() {
        return runs(first) || named.any(runs);
    }
    conversion.inputs().iter().any(|(input, _)| {
        let fills = |entry: &&StreamEntry| {
            let mut tables = entry.extraction.tables.iter();
            tables.any(|table| table.name == input.name)
        };
        let mut writers = entries().filter(fills);
        // What no stream writes is merged from mentions in all of them.
        writers
            .next()
            .is_none_or(|first| runs(first) || writers.any(runs))
    })
}

/// The tables that git and conversions fill when only these streams bring rows.
#[must_use]
pub fn filled_by(source: &Source, streams: &BTreeSet<&str>) -> BTreeSet<&'static str> {
    let mut filled = BTreeSet::new();
    for conversion in &source.conversions {
        if converts(source, streams, conversion) {
            filled.extend(conversion.tables().iter().map(|table| table.name));
        }
    }
    if streams.contains(GIT) {
        filled.extend(source.of_git.iter().map(|table| table.name));
    }
    filled
}

/// Whether a derivation runs where these tables are filled.
#[must_use]
pub fn derives(filled: &BTreeSet<&'static str>, derivation: &Derivation) -> bool {
    let mut groups = derivation.declared.needs.iter();
    groups.all(|group| group.iter().any(|table| filled.contains(table)))
}

/// The tables that these streams fill, for comparing databases.
#[must_use]
pub fn tables_of(source: &Source, streams: &BTreeSet<&str>) -> Tables {
    let mut tables = source.tables();
    let entries = || source.streams.iter();
    let wanted = |entry: &&StreamEntry| streams.contains(entry.collection.stream);
    let raw: BTreeSet<&str> = entries()
        .filter(wanted)
        .map(|entry| entry.collection.raw_table.as_str())
        .collect();
    tables.raw.retain(|table| raw.contains(table.as_str()));
    let mut filled: BTreeSet<&str> = BTreeSet::new();
    filled.extend(source.accounts.map(|(accounts, _)| (accounts.table)().name));
    for entry in entries().filter(wanted) {
        filled.extend(entry.extraction.tables.iter().map(|table| table.name));
    }
    let converted = filled_by(source, streams);
    filled.extend(&converted);
    for derivation in &source.derivations {
        if derives(&converted, derivation) {
            // Rows that follow from what is left out stay as they were, like that.
            let writes = derivation.declared.writes.iter();
            let writes =
                writes.filter(|it| it.follows_from.iter().all(|of| converted.contains(of)));
            filled.extend(writes.map(|it| it.table.name));
        }
    }
    tables.rows.retain(|table| filled.contains(table.name));
    tables
}

/// Steps that run when only these streams do.
#[must_use]
pub fn steps_of(source: &Source, streams: &BTreeSet<&str>) -> BTreeSet<String> {
    let extractions = source.streams.iter();
    let extractions = extractions.filter(|entry| streams.contains(entry.collection.stream));
    let mut steps: BTreeSet<String> = extractions.map(|e| e.extraction.step()).collect();
    if source.accounts.is_some() {
        steps.insert(accounts::STEP.to_owned());
    }
    let conversions = source.conversions.iter();
    let conversions = conversions.filter(|conversion| converts(source, streams, conversion));
    steps.extend(conversions.map(Conversion::step));
    steps
}

/// The setting of a scope config that asks for a stream that costs much; none for others.
#[must_use]
pub fn setting_of(stream: &str) -> Option<&'static str> {
    match stream {
        "pull_request_statuses" => Some("commit_statuses"),
        "pull_request_diffstats" => Some("pull_request_sizes"),
        _ => None,
    }
}

impl Config {
    /// The streams that the configuration wants of the connection with this name.
    #[must_use]
    pub fn streams_of(&self, sources: &Sources, connection: &str) -> BTreeSet<&'static str> {
        let source = sources.of_connection(self, connection);
        let mut streams = self.unskipped_streams_of(source, connection);
        for skipped in self.skipped_streams_of(connection) {
            leave_out(source, &mut streams, skipped);
        }
        streams
    }

    /// The same of a source, with those that `skip_streams` leaves out.
    #[must_use]
    pub fn unskipped_streams_of(
        &self,
        source: &Source,
        connection: &str,
    ) -> BTreeSet<&'static str> {
        let entities = self.entities_of(connection);
        let git = entities.contains(&Entity::Code) && self.reads_git(connection);
        let mut streams = streams_of(source, &entities, &self.opted_in(connection));
        if self.reads_git(connection) {
            // Each table has one owner.
            streams.retain(|stream| !FROM_GIT.contains(stream));
        }
        if git {
            streams.insert(GIT);
        }
        streams
    }

    /// Refuses streams in `skip_streams` that are none, or that every scope needs.
    ///
    /// # Errors
    /// Exit 3, with the first of them.
    pub fn require_known_streams(&self, sources: &Sources) -> Result<(), Failure> {
        let names = sources.stream_names();
        for (config, rules) in &self.scope_configs {
            for stream in &rules.skip_streams {
                let wrong = if !names.contains(&stream.as_str()) {
                    unknown_stream(stream, &names)
                } else if stream == REPOSITORIES {
                    format!("{stream} cannot be left out: the names of all others come from it")
                } else {
                    continue;
                };
                let message = format!("scope_config.{config}.skip_streams: {wrong}");
                return Err(Failure::new(Exit::Configuration, message));
            }
            require_deployments(config, rules)?;
        }
        Ok(())
    }
}

/// Refuses a choice of steps by deployments where these are not collected.
fn require_deployments(config: &str, rules: &ScopeConfig) -> Result<(), Failure> {
    let is_left_out = rules.skip_streams.iter().any(|it| it == Deployments::NAME);
    if rules.steps == Steps::All || !is_left_out {
        return Ok(());
    }
    let message = format!(
        "scope_config.{config}.steps: \"{}\" chooses steps by their deployments; take {} out of \
         `skip_streams`",
        rules.steps.as_str(),
        Deployments::NAME
    );
    Err(Failure::new(Exit::Configuration, message))
}

/// Refuses streams that were asked for by name and that no connection wants.
///
/// # Errors
/// Exit 2, with the first such stream and its entity.
pub fn require_wanted(config: &Config, sources: &Sources, only: &[String]) -> Result<(), Failure> {
    let wanted = config
        .connections
        .iter()
        .flat_map(|connection| config.streams_of(sources, &connection.name));
    let wanted: BTreeSet<&str> = wanted.collect();
    let unwanted = only.iter().find(|stream| !wanted.contains(stream.as_str()));
    let Some(stream) = unwanted else {
        return Ok(());
    };
    let entry = sources.iter().find_map(|source| source.find(stream));
    if let Some(setting) = setting_of(stream) {
        return Err(Failure::usage(format!(
            "{stream} is collected only where it is asked for: write `{setting} = true` into a \
             scope config"
        )));
    }
    if stream == GIT
        && !config
            .connections
            .iter()
            .any(|own| config.reads_git(&own.name))
    {
        return Err(Failure::usage(
            "git is read only where it is asked for: write `git.enabled = true` into a connection, \
             or `kind = \"git\"`",
        ));
    }
    if FROM_GIT.contains(&stream.as_str()) && wanted.contains(GIT) {
        return Err(Failure::usage(format!(
            "{stream} come from git where the configuration says `git.enabled = true`; ask for \
             `--only git`"
        )));
    }
    let is_skipped = |own: &Connection| config.skipped_streams_of(&own.name).contains(stream);
    if config.connections.iter().any(is_skipped) {
        return Err(Failure::usage(format!(
            "{stream} is left out by the configuration: take it out of `skip_streams` of the scope \
             config to collect it"
        )));
    }
    let entity = match entry {
        Some(entry) => entry.entity.map_or("", Entity::as_str),
        None => Entity::Code.as_str(),
    };
    Err(Failure::usage(format!(
        "{stream} is left out by the configuration: write \"{entity}\" into `entities` of a scope \
         config to collect it"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::bitbucket::bitbucket;

    /// Streams that every scope has.
    const ALWAYS: [&str; 1] = ["repositories"];

    /// Streams that are collected only where they are asked for.
    fn costly(source: &Source) -> BTreeSet<&'static str> {
        let costly = source.streams.iter().filter(|entry| entry.opt_in);
        costly.map(|entry| entry.collection.stream).collect()
    }

    fn chosen(entities: &[Entity]) -> Vec<&'static str> {
        let source = bitbucket();
        let entities = entities.iter().copied().collect();
        let wanted = streams_of(&source, &entities, &costly(&source));
        let mut names = source.stream_names();
        names.retain(|name| wanted.contains(name));
        names
    }

    #[test]
    fn every_stream_but_the_repository_itself_belongs_to_an_entity() {
        let source = bitbucket();
        let without = source.streams.iter().filter(|entry| entry.entity.is_none());
        let without: Vec<&str> = without.map(|entry| entry.collection.stream).collect();
        assert_eq!(without, ALWAYS);
    }

    #[test]
    fn entities_choose_their_streams_and_the_repository_itself() {
        assert_eq!(chosen(&[]), ALWAYS);
        assert_eq!(
            chosen(&[Entity::Issues]),
            ["repositories", "issues", "issue_comments", "issue_changes"]
        );
        let all = chosen(&Entity::ALL);
        let mut names = bitbucket().stream_names();
        names.retain(|name| *name != GIT);
        assert_eq!(all, names);
    }

    #[test]
    fn every_costly_stream_has_a_setting_that_asks_for_it() {
        for stream in costly(&bitbucket()) {
            assert!(
                setting_of(stream).is_some(),
                "say in setting_of how {stream} is asked for"
            );
        }
    }

    #[test]
    fn a_conversion_runs_when_a_stream_that_it_reads_does() {
        let source = bitbucket();
        let entities = BTreeSet::from([Entity::Issues]);
        let streams = streams_of(&source, &entities, &costly(&source));
        let running = |name: &str| {
            let conversion = source.conversions.iter().find(|c| c.name == name);
            converts(&source, &streams, conversion.unwrap())
        };
        for (name, expected) in [
            ("repositories", true),
            ("issues", true),
            ("issue_changes", true),
            ("accounts", true),
            ("refs", false),
            ("repo_commits", false),
            ("pull_requests", false),
            ("pipelines", false),
            ("deployments", false),
        ] {
            assert_eq!(running(name), expected, "{name}");
        }
    }
}
