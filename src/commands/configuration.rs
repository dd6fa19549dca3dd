//! `init`, `config check` and `config schema`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;

use crate::cli::{ConfigCommand, InitArgs, Shared};
use crate::config::{self, Given, Problem};
use crate::context::config_path;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::sources::Sources;

pub(super) fn init(shared: &Shared, arguments: InitArgs) -> Result<Exit, Failure> {
    let path = config_path(shared);
    let shown = path.display();
    let force = arguments.force;
    let given = Given {
        email: arguments.email,
        workspace: arguments.workspace,
        repositories: arguments.repository,
    };
    let text = config::filled_template(&given);
    let missing = missing(&given, &text, &shown.to_string())?;
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create_new(!force)
        .create(force)
        .truncate(force);
    let mut file = options.open(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("{shown} is there already; --force overwrites it"))
        }
        _ => Failure::because(Exit::Failed, format!("writing {shown}"), error),
    })?;
    let done = file.write_all(text.as_bytes());
    done.map_err(|error| Failure::because(Exit::Failed, format!("writing {shown}"), error))?;
    if shared.json {
        let done = json!({ "file": shown.to_string(), "missing": missing });
        output::json_line(&done.to_string());
        return Ok(Exit::Ok);
    }
    if shared.quiet {
        return Ok(Exit::Ok);
    }
    output::line(format_args!("wrote {shown}\n\nNext:"));
    let mut steps = Vec::new();
    if !missing.is_empty() {
        steps.push(format!("put {} into it", missing.join(" and ")));
    }
    steps.push(
        "export BITBUCKET_TOKEN=<an API token from id.atlassian.com with the scopes\n     \
         read:repository:bitbucket, read:pullrequest:bitbucket and read:pipeline:bitbucket>"
            .to_owned(),
    );
    steps.extend(
        [
            "headwater connection test",
            "headwater sync",
            "git.enabled = true in the file, where git is installed: commits, branches and tags\n     \
             come from git then, and a sync takes a third fewer requests",
        ]
        .map(str::to_owned),
    );
    for (number, step) in (1..).zip(steps) {
        output::line(format_args!("  {number}. {step}"));
    }
    Ok(Exit::Ok)
}

/// What a person has still to put into the file.
///
/// # Errors
/// Exit 2 when what was given cannot be used.
fn missing(given: &Given, text: &str, file: &str) -> Result<Vec<&'static str>, Failure> {
    let mut missing = Vec::new();
    if given.email.is_none() {
        missing.push("your e-mail address");
    }
    if given.workspace.is_none() && given.repositories.is_empty() {
        missing.push("your repositories");
    }
    let (_, problems) = config::parse(text, file);
    let is_example = |problem: &Problem| {
        let key = problem.key.as_str();
        let email = given.email.is_none() && key.ends_with("auth.email");
        let scopes = missing.contains(&"your repositories") && key.contains(".scopes");
        email || scopes
    };
    match problems
        .iter()
        .find(|problem| problem.is_error() && !is_example(problem))
    {
        None => Ok(missing),
        Some(problem) => {
            let option = match problem.key.as_str() {
                key if key.ends_with("email") => "--email",
                _ => "--workspace or --repository",
            };
            let expected = problem.expected.as_deref().unwrap_or_default();
            Err(Failure::usage(format!(
                "{option}: {}; expected {expected}",
                problem.message
            )))
        }
    }
}

pub(super) fn config(shared: &Shared, command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Check => check(shared),
        ConfigCommand::Schema { output } => schema(shared, output.as_deref()),
    }
}

fn check(shared: &Shared) -> Result<Exit, Failure> {
    let path = config_path(shared);
    let shown = path.display().to_string();
    let (problems, exit) = match config::load(&path) {
        Ok(loaded) => {
            loaded.config.require_known_streams(&Sources::all())?;
            let mut problems = loaded.warnings.clone();
            problems.extend(loaded.check_machine());
            (problems, Exit::Ok)
        }
        Err(wrong) => (wrong.problems().to_vec(), Exit::Configuration),
    };
    if shared.json {
        let json = serde_json::to_string_pretty(&problems);
        let json = json.map_err(|e| Failure::because(Exit::Failed, "writing JSON", e))?;
        output::json_line(&json);
        return Ok(exit);
    }
    let coloured = output::wants_colours(&std::io::stdout());
    for problem in &problems {
        output::cleaned_line(&problem.in_full(coloured));
    }
    if !(shared.quiet && problems.is_empty()) {
        output::line(config::summary(&shown, &problems));
    }
    Ok(exit)
}

fn schema(shared: &Shared, file: Option<&Path>) -> Result<Exit, Failure> {
    let schema = serde_json::to_string_pretty(&config::schema());
    let schema = schema.map_err(|e| Failure::because(Exit::Failed, "writing JSON", e))?;
    let Some(file) = file else {
        output::json_line(&schema);
        return Ok(Exit::Ok);
    };
    let shown = file.display();
    let written = std::fs::write(file, format!("{schema}\n"));
    written.map_err(|error| Failure::because(Exit::Failed, format!("writing {shown}"), error))?;
    if shared.json {
        let done = json!({ "file": shown.to_string() });
        output::json_line(&done.to_string());
    } else if !shared.quiet {
        output::line(format_args!(
            "wrote {shown}; a first line `#:schema {shown}` in headwater.toml names it"
        ));
    }
    Ok(Exit::Ok)
}
