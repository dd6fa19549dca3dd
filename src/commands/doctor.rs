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
        (true, _) => findings
            .iter()
            .for_each(|it| output::json_line(&object(it).to_string())),
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

/// A finding as JSON.
pub(super) fn object(finding: &Finding) -> serde_json::Value {
    let pairs = COLUMNS.into_iter().zip(texts(finding));
    let object: serde_json::Map<_, _> = pairs
        .map(|(name, text)| (name.to_owned(), json!(text)))
        .collect();
    serde_json::Value::Object(object)
}

/// One paragraph for each finding.
fn show(findings: &[Finding]) {
    if findings.is_empty() {
        output::line("nothing was found that makes numbers wrong, empty or old");
    }
    for line in (1..).zip(findings).flat_map(paragraph) {
        output::line(line);
    }
}

/// The lines of one finding: what was found, what to write and what to do.
pub(super) fn paragraph((number, finding): (usize, &Finding)) -> Vec<String> {
    let Finding {
        code,
        about,
        what,
        write,
        next,
    } = finding;
    let harm = code.harm().name();
    let about = output::shown(about);
    let mut lines = vec![format!(
        "{number}. {about}: {what} [{}: {harm}]",
        code.name()
    )];
    if !write.is_empty() {
        lines.push("   Write into headwater.toml:".to_owned());
    }
    lines.extend(write.lines().map(|line| format!("     {line}")));
    if !next.is_empty() {
        lines.push(format!("   Do: {next}"));
    }
    lines
}
