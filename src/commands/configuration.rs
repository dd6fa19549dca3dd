//! `init`, `config check` and `config schema`.

use std::fs::OpenOptions;
use std::io::Write as _;

use crate::cli::Shared;
use crate::config;
use crate::context::config_path;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::sources::Sources;

pub(super) fn init(shared: &Shared, force: bool) -> Result<Exit, Failure> {
    let path = config_path(shared);
    let shown = path.display();
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
    let done = file.write_all(config::template().as_bytes());
    done.map_err(|error| Failure::because(Exit::Failed, format!("writing {shown}"), error))?;
    output::line(format_args!(
        "wrote {shown}\n\nNext:\n  1. put your e-mail address and your repositories into it\n  \
         2. export BITBUCKET_TOKEN=<an API token from id.atlassian.com with the scopes\n     \
         read:repository:bitbucket, read:pullrequest:bitbucket and read:pipeline:bitbucket>\n  \
         3. headwater config check\n  4. headwater sync"
    ));
    Ok(Exit::Ok)
}

pub(super) fn check(shared: &Shared) -> Result<Exit, Failure> {
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
    for problem in &problems {
        output::line(problem);
    }
    if !(shared.quiet && problems.is_empty()) {
        output::line(config::summary(&shown, &problems));
    }
    Ok(exit)
}

pub(super) fn schema() -> Result<Exit, Failure> {
    let schema = serde_json::to_string_pretty(&config::schema());
    let schema = schema.map_err(|e| Failure::because(Exit::Failed, "writing JSON", e))?;
    output::json_line(&schema);
    Ok(Exit::Ok)
}
