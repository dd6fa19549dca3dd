//! `doctor`: what makes numbers wrong, empty or old, and what to write.

use headwater_store::query::Cell;
use serde_json::json;

use super::metrics::require_project;
use crate::cli::{Format, Shared};
use crate::context::{Context, NeedsFile};
use crate::doctor::{Finding, examine};
use crate::exit::{Exit, Failure};
use crate::output::{self, print, written};

const COLUMNS: [&str; 6] = ["code", "harm", "about", "what", "write", "next"];

pub(super) async fn doctor(
    shared: &Shared,
    project: Option<&str>,
    format: Format,
) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let store = context.open_to_read().await?;
    if let Some(project) = project
        && context.config.project(project).is_none()
    {
        require_project(&store, project).await?;
    }
    let symptoms = store.symptoms().await?;
    store.close().await?;
    let findings = examine(&context.config, &symptoms, project, context.clock.now());
    match (shared.json, format) {
        (true, _) => findings.iter().for_each(|it| output::json_line(&line(it))),
        (false, Format::Table) => show(&findings),
        (false, format) => {
            let rows = findings.iter().map(cells).collect();
            written(print(format, &COLUMNS, rows))?;
        }
    }
    Ok(if findings.is_empty() {
        Exit::Ok
    } else {
        Exit::Partial
    })
}

fn texts(finding: &Finding) -> [&str; 6] {
    [
        finding.code.name(),
        finding.code.harm().name(),
        &finding.about,
        &finding.what,
        &finding.write,
        &finding.next,
    ]
}

fn cells(finding: &Finding) -> Vec<Cell> {
    let texts = texts(finding).into_iter();
    texts.map(|text| Cell::Text(text.to_owned())).collect()
}

fn line(finding: &Finding) -> String {
    let pairs = COLUMNS.into_iter().zip(texts(finding));
    let object: serde_json::Map<_, _> = pairs
        .map(|(name, text)| (name.to_owned(), json!(text)))
        .collect();
    serde_json::Value::Object(object).to_string()
}

/// One paragraph for each finding.
pub(super) fn show(findings: &[Finding]) {
    if findings.is_empty() {
        output::line("nothing was found that makes numbers wrong, empty or old");
    }
    for (number, finding) in (1..).zip(findings) {
        let Finding {
            code,
            about,
            what,
            write,
            next,
        } = finding;
        let harm = code.harm().name();
        let about = output::shown(about);
        output::line(format_args!(
            "{number}. {about}: {what} [{}: {harm}]",
            code.name()
        ));
        if !write.is_empty() {
            output::line("   Write into headwater.toml:");
        }
        for line in write.lines() {
            output::line(format_args!("     {line}"));
        }
        if !next.is_empty() {
            output::line(format_args!("   Do: {next}"));
        }
    }
}
