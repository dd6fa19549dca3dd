//! Reads the whole file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::Document;

use super::connection_reader::{self, Draft, DraftsSoFar};
use super::environment::Overrides;
use super::problem::{ConfigProblems, Problem, Severity, SourceText};
use super::reader::TableReader;
use super::regular_file::read_regular;
use super::secret::SecretSource;
use super::walk::FileReading;
use super::{Config, DEFAULT_SCOPE_CONFIG, Project, ScopeConfig};
use super::{database, excerpt, git_reader, project, scope_config_reader};

/// A configuration that can be used, and what was odd about its file.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the file says.
    pub config: Config,
    /// The file as the user named it.
    pub path: PathBuf,
    /// The folder that `file:` secrets and `ca_file` are relative to.
    pub folder: PathBuf,
    /// What was odd about the file.
    pub warnings: Vec<Problem>,
}

impl Loaded {
    /// Warns of variables and files that this machine does not have.
    ///
    /// These are no errors: the machine where a file is checked need not be the one it is for.
    #[must_use]
    pub fn check_machine(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.check_source(self.config.database.url.source(), &mut problems);
        for (index, connection) in self.config.connections.iter().enumerate() {
            for source in connection.auth.sources() {
                self.check_source(source, &mut problems);
            }
            if let Some(super::Proxy::Source(source)) = &connection.proxy {
                self.check_source(source, &mut problems);
            }
            if let Some(path) = connection.ca_path(&self.folder)
                && let Err(reason) = fs::File::open(&path)
            {
                let mut problem = self.warning(format!("cannot read {}: {reason}", path.display()));
                problem.key = format!("connection[{index}].ca_file");
                problems.push(problem);
            }
        }
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems
    }

    fn check_source(&self, source: &SecretSource, problems: &mut Vec<Problem>) {
        let Err(reason) = source.read(&self.folder) else {
            return;
        };
        let cause = std::error::Error::source(&reason);
        let cause = cause.map(|cause| format!(": {cause}"));
        let mut problem = self.warning(format!("{reason}{}", cause.unwrap_or_default()));
        if let Some(place) = source.place() {
            problem.key.clone_from(&place.key);
            (problem.line, problem.column) = (place.line, place.column);
        }
        problems.push(problem);
    }

    fn warning(&self, message: String) -> Problem {
        Problem {
            severity: Severity::Warning,
            ..Problem::of_file(&self.path.display().to_string(), message)
        }
    }
}

/// Reads a configuration file; everything that is wrong with it is reported at once.
pub fn load(path: &Path) -> Result<Loaded, ConfigProblems> {
    let file = path.display().to_string();
    let refuse = |problems| ConfigProblems::new(&file, problems);
    let text = read_text(path, &file).map_err(|problem| refuse(vec![*problem]))?;
    let (config, problems) = parse_with(&text, &file, &Overrides::of_process());
    let Some(config) = config else {
        return Err(refuse(problems));
    };
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok(Loaded {
        config,
        path: path.to_owned(),
        folder,
        warnings: problems,
    })
}

/// The configuration where there is no file: the defaults, and what the environment overrides.
pub fn without_file() -> Result<Config, ConfigProblems> {
    let (config, problems) = parse_with("", "environment", &Overrides::of_process());
    config.ok_or_else(|| ConfigProblems::new("environment", problems))
}

/// Largest configuration that is read: thousands of connections.
const LARGEST_FILE: u64 = 4 << 20;

fn read_text(path: &Path, file: &str) -> Result<String, Box<Problem>> {
    if path.is_dir() {
        let example = path.join("headwater.toml");
        let problem = Problem::of_file(file, "is a folder");
        let problem = problem.expecting(format!("a file such as {}", example.display()));
        return Err(Box::new(problem));
    }
    let bytes =
        read_regular(path, LARGEST_FILE).map_err(|reason| Box::new(unreadable(file, &reason)))?;
    String::from_utf8(bytes).map_err(|reason| {
        let valid = reason.utf8_error().valid_up_to();
        let before = &reason.as_bytes()[..valid];
        let line = before.split(|byte| *byte == b'\n').count();
        let problem = Problem::of_file(file, format!("is not valid UTF-8 in line {line}"));
        Box::new(problem.expecting("a text file saved as UTF-8"))
    })
}

fn unreadable(file: &str, reason: &std::io::Error) -> Problem {
    if reason.kind() == std::io::ErrorKind::NotFound {
        let advice = "`headwater init` to write one, or `--config FILE` to name another";
        return Problem::of_file(file, format!("there is no such file; run {advice}"));
    }
    Problem::of_file(file, format!("cannot be read: {reason}"))
}

/// Parses the text of a configuration file.
///
/// The configuration is there exactly when no problem is an error. `file_name` is what the
/// problems call the file.
#[must_use]
pub fn parse(text: &str, file_name: &str) -> (Option<Config>, Vec<Problem>) {
    parse_with(text, file_name, &Overrides::default())
}

/// The same, with keys that the environment overrides.
#[must_use]
pub fn parse_with(
    text: &str,
    file_name: &str,
    overrides: &Overrides,
) -> (Option<Config>, Vec<Problem>) {
    // Editors on Windows put a mark in front that is no part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let walk = FileReading::new(SourceText::new(file_name, text), overrides);
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(reason) => {
            let mut problem = syntax_error(&walk, text, &reason);
            problem.excerpt = excerpt::of(text, &problem);
            return (None, vec![problem]);
        }
    };
    let root = TableReader::root(&walk, document.as_table());
    let config = read(root);
    let mut problems = walk.into_problems();
    for problem in &mut problems {
        problem.excerpt = excerpt::of(text, problem);
    }
    let usable = !problems.iter().any(Problem::is_error);
    (usable.then_some(config), problems)
}

/// What the parser says, without the line, which its own message would repeat.
fn syntax_error(walk: &FileReading<'_>, text: &str, reason: &toml_edit::TomlError) -> Problem {
    let span = reason.span().unwrap_or_default();
    let sentence = reason.message();
    // A key that is there twice is named, if that is what it looks like.
    let name = text.get(span.clone()).unwrap_or_default();
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.[]".contains(letter);
    let twice = sentence == "duplicate key" && !name.is_empty() && name.chars().all(is_name);
    let what = if twice {
        format!("`{name}` is written twice; keep one of them")
    } else {
        sentence.to_owned()
    };
    let message = format!("not valid TOML: {what}; nothing else can be checked before this");
    walk.syntax_error(span.start, message)
}

fn read(mut root: TableReader<'_>) -> Config {
    let database = root.field("database").and_then(|field| field.table());
    let database = database::read(database);
    let git = root.field("git").and_then(|field| field.table());
    let git = git_reader::read_store(git);
    let mut scope_configs = read_scope_configs(&mut root);
    let drafts = read_connections(&mut root, &scope_configs);
    let projects = read_projects(&mut root, &drafts);
    root.finish_with(&[
        ("connections", "connection"),
        ("projects", "project"),
        ("scope_configs", "scope_config"),
        ("scopes", "connection"),
    ]);
    scope_configs
        .entry(DEFAULT_SCOPE_CONFIG.to_owned())
        .or_default();
    Config {
        database,
        git,
        connections: drafts
            .into_iter()
            .filter_map(|draft| draft.connection)
            .collect(),
        scope_configs,
        projects,
    }
}

fn read_scope_configs(root: &mut TableReader<'_>) -> BTreeMap<String, ScopeConfig> {
    let table = root.field("scope_config").and_then(|field| field.table());
    let entries = table.iter().flat_map(TableReader::entries);
    entries
        .filter_map(|(name, field)| {
            let rules = scope_config_reader::read(field.table()?);
            Some((name.to_owned(), rules))
        })
        .collect()
}

fn read_connections(
    root: &mut TableReader<'_>,
    scope_configs: &BTreeMap<String, ScopeConfig>,
) -> Vec<Draft> {
    let names: Vec<&str> = scope_configs.keys().map(String::as_str).collect();
    let mut drafts = Vec::new();
    let tables = root.field("connection").map(|field| field.tables());
    for table in tables.unwrap_or_default() {
        let known = DraftsSoFar {
            drafts: &drafts,
            scope_configs: &names,
        };
        let draft = connection_reader::read(table, &known);
        drafts.push(draft);
    }
    drafts
}

fn read_projects(root: &mut TableReader<'_>, drafts: &[Draft]) -> Vec<Project> {
    let mut earlier = Vec::new();
    let tables = root.field("project").map(|field| field.tables());
    tables
        .unwrap_or_default()
        .into_iter()
        .filter_map(|table| project::read(table, drafts, &mut earlier))
        .collect()
}
