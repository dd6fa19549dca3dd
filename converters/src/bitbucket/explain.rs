//! Why a deployment, a task or an issue is what the tables say it is: every rule, the text that
//! it looked at, and what came of it.
//!
//! The rules are asked by the same functions as in the conversions, with a trace.

use headwater_domain::tool::bitbucket::{
    deployment, environment, issue, issue_change, pipeline, pipeline_step,
};
use headwater_domain::{Scope, Sourced};

use super::deployment::Environments;
use super::pipeline::release::{End, Release};
use super::{deployment as told, issue as issues, pipeline as pipelines, pipeline_step as steps};
use crate::bitbucket::outcome;
use crate::rules::{Rules, Steps, TraceEntry};

/// One thing that was looked at, or what came of them all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What is explained: `task`, `deployment`, `issue`, or the `step` or `pipeline` behind it.
    pub of: &'static str,
    /// Column that is decided; `row` for whether there is one at all.
    pub decides: String,
    /// The rule, or `verdict`.
    pub rule: String,
    /// What the text is.
    pub looked_at: String,
    /// The text.
    pub text: String,
    /// `yes`, `no`, or empty where the rule was not asked.
    pub matches: &'static str,
    /// Why.
    pub because: String,
    /// What that gives.
    pub gives: String,
}

/// A pipeline with its steps and the deployments that Bitbucket lists for it.
#[derive(Clone, Debug, Default)]
pub struct PipelineRows {
    /// The pipeline; none where it was not collected.
    pub pipeline: Option<Sourced<pipeline::Model>>,
    /// Its steps.
    pub steps: Vec<Sourced<pipeline_step::Model>>,
    /// Its deployments.
    pub deployments: Vec<Sourced<deployment::Model>>,
    /// Environments that these name.
    pub environments: Vec<Sourced<environment::Model>>,
}

impl PipelineRows {
    fn deployed(&self) -> (&[Sourced<deployment::Model>], Environments<'_>) {
        (&self.deployments, Environments::All(&self.environments))
    }
}

struct Lines {
    of: &'static str,
    lines: Vec<Line>,
}

impl Lines {
    fn new(of: &'static str) -> Self {
        let lines = Vec::new();
        Self { of, lines }
    }

    fn add(&mut self, entry: TraceEntry<'_>) {
        self.lines.push(Line {
            of: self.of,
            decides: entry.decides.to_owned(),
            rule: entry.rule.to_owned(),
            looked_at: entry.subject.to_owned(),
            text: entry.text.to_owned(),
            matches: entry.found.matches(),
            because: entry.found.why(entry.text),
            gives: entry.found.gives().to_owned(),
        });
    }

    /// A word of Bitbucket's that has a fixed meaning.
    fn word(&mut self, (decides, rule, looked_at): (&str, &str, &str), text: &str, gives: &str) {
        let matches = if gives.is_empty() { "no" } else { "yes" };
        let because = match (text.is_empty(), gives.is_empty()) {
            (true, _) => "there is none",
            (_, true) => "no word that is known",
            _ => "a word that is known",
        };
        self.lines.push(Line {
            of: self.of,
            decides: decides.to_owned(),
            rule: rule.to_owned(),
            looked_at: looked_at.to_owned(),
            text: text.to_owned(),
            matches,
            because: because.to_owned(),
            gives: gives.to_owned(),
        });
    }

    /// What came of all rules about a column.
    fn verdict(&mut self, decides: &str, gives: &str, because: impl Into<String>) {
        let because: String = because.into();
        self.lines.push(Line {
            of: self.of,
            decides: decides.to_owned(),
            rule: "verdict".to_owned(),
            because: match (because.is_empty(), gives.is_empty()) {
                (false, _) => because,
                (true, true) => "no rule gives anything else".to_owned(),
                (true, false) => self.giver(decides, gives),
            },
            gives: gives.to_owned(),
            ..Line::default()
        });
    }

    /// The first rule that gave what came of it.
    fn giver(&self, decides: &str, gives: &str) -> String {
        let mut lines = self.lines.iter();
        let found =
            lines.find(|line| line.of == self.of && line.decides == decides && line.gives == gives);
        match found {
            Some(line) => format!("by {}", line.rule),
            None => "where no pattern says otherwise".to_owned(),
        }
    }
}

/// Why a step is, or is not, a task, and of which type and environment.
#[must_use]
pub fn task(rules: &Rules, step: &pipeline_step::Model, rows: &PipelineRows) -> Vec<Line> {
    let mut lines = Lines::new("task");
    started(&mut lines, step);
    let (kind, environment) =
        steps::decided(rules, step, rows.deployed(), &mut |entry| lines.add(entry));
    let result = outcome::step_result(&step.result);
    let subject = ("result", "words of results", "result of the step");
    lines.word(subject, &step.result, result);
    let status = outcome::step_status(&step.state);
    let subject = ("status", "words of states", "state of the step");
    lines.word(subject, &step.state, status);
    if step.started_on.is_some() {
        lines.verdict("type", kind, "");
        lines.verdict("environment", environment, "");
        lines.verdict("result", result, "");
        lines.verdict("status", status, "");
    }
    by_ref(rules, rows, &mut lines);
    lines.lines
}

/// Says that the steps of a pipeline were not collected, so that no rule could look at their names.
fn not_collected(
    lines: &mut Lines,
    rules: &Rules,
    pipeline: &pipeline::Model,
    rows: &PipelineRows,
) {
    let is_wanted = rules.wants_steps(!rows.deployments.is_empty(), &[&pipeline.ref_name]);
    if is_wanted || !rows.steps.is_empty() {
        return;
    }
    let matching = match rules.steps {
        Steps::Matching => ", and no pattern matches its name, ref or target",
        _ => "",
    };
    let policy = rules.steps.as_str();
    lines.lines.push(Line {
        of: "step",
        decides: "row".to_owned(),
        rule: "steps".to_owned(),
        looked_at: "deployments of the pipeline".to_owned(),
        matches: "no",
        because: format!(
            "its steps are not collected because steps = \"{policy}\": Bitbucket lists no \
             deployment of it{matching}; a deployment that only the name of a step tells is not \
             seen"
        ),
        ..Line::default()
    });
}

/// Whether a step is a task at all.
fn started(lines: &mut Lines, step: &pipeline_step::Model) {
    let (matches, because, gives) = if step.started_on.is_some() {
        ("yes", "a step that started is a task", "a task")
    } else {
        ("no", "never started, so no task", "")
    };
    lines.lines.push(Line {
        of: lines.of,
        decides: "row".to_owned(),
        rule: "a step must have started".to_owned(),
        looked_at: "start of the step".to_owned(),
        text: step
            .started_on
            .map(|time| time.to_rfc3339())
            .unwrap_or_default(),
        matches,
        because: because.to_owned(),
        gives: gives.to_owned(),
    });
}

/// What the ref of a pipeline says: that is shown beside a task or a deployment and decides the
/// pipeline's own row.
fn by_ref(rules: &Rules, rows: &PipelineRows, lines: &mut Lines) {
    lines.of = "pipeline";
    let Some(pipeline) = &rows.pipeline else {
        lines.verdict("row", "", "its pipeline was not collected");
        return;
    };
    let ref_name = &pipeline.row.ref_name;
    let (kind, environment) = rules.pipeline(ref_name, &mut |entry| lines.add(entry));
    lines.verdict("type", kind, "");
    lines.verdict("environment", environment, "");
}

/// Why a deployment that Bitbucket gives has its environment and its result.
#[must_use]
pub fn deployment(rules: &Rules, row: &deployment::Model, rows: &PipelineRows) -> Vec<Line> {
    let mut lines = Lines::new("deployment");
    let names = Environments::All(&rows.environments).names(row);
    let (environment, result) = told::decided(rules, (row, names), &rows.steps, &mut |entry| {
        lines.add(entry);
    });
    let status = outcome::deployment_status(&row.status);
    let subject = ("status", "words of states", "state of the deployment");
    lines.word(subject, &row.status, status);
    lines.verdict("row", "a deployment", "Bitbucket tells it");
    lines.verdict("environment", environment, "");
    lines.verdict("result", result, "");
    lines.verdict("status", status, "");
    let mut own = rows.steps.iter().map(|step| &step.row);
    if let Some(step) = own.find(|step| step.bitbucket_id == row.step_id) {
        lines.of = "step";
        let looked = steps::decided(rules, step, rows.deployed(), &mut |entry| lines.add(entry));
        lines.verdict("type", looked.0, "");
    }
    by_ref(rules, rows, &mut lines);
    lines.lines
}

/// Why a pipeline is, or is not, a deployment by itself.
#[must_use]
pub fn pipeline(
    rules: &Rules,
    scope: &Scope,
    pipeline: &pipeline::Model,
    rows: &PipelineRows,
) -> Vec<Line> {
    let mut lines = Lines::new("pipeline");
    by_ref(rules, rows, &mut lines);
    let result = outcome::pipeline_result(&pipeline.result);
    let subject = ("result", "words of results", "result of the pipeline");
    lines.word(subject, &pipeline.result, result);
    not_collected(&mut lines, rules, pipeline, rows);
    for step in rows.steps.iter().map(|step| &step.row) {
        lines.of = "step";
        started(&mut lines, step);
        steps::decided(rules, step, rows.deployed(), &mut |entry| lines.add(entry));
        let subject = ("result", "words of results", "result of the step");
        lines.word(subject, &step.result, outcome::step_result(&step.result));
    }
    lines.of = "deployment";
    let row = pipelines::converted(scope, pipeline, &rows.steps, rules);
    let released = pipelines::release::of(&row, &rows.steps, rules);
    match released {
        _ if !rows.deployments.is_empty() => {
            let count = rows.deployments.len();
            let because = format!(
                "Bitbucket tells {count} of this pipeline, and one release counts once: the \
                 pipeline is no deployment of its own"
            );
            lines.verdict("row", "", because);
        }
        Some(release) => released_as(&mut lines, &release),
        None => {
            let because = "it has not ended, or neither its ref nor a collected step that ended \
                           is one of a deployment";
            lines.verdict("row", "", because);
        }
    }
    lines.lines
}

/// Why a pipeline is the deployment that it is.
fn released_as(lines: &mut Lines, release: &Release) {
    let (row, environment, result) = if matches!(release.end, End::OfSteps(_)) {
        (
            "a step that ended is one of a deployment, whatever the pipeline still waits for, and \
             Bitbucket tells none of this pipeline",
            "the pipeline's own, else the most important of the steps that ended",
            "that of the steps that deployed there: the pipeline has no outcome of its own",
        )
    } else {
        (
            "its ref, or a step that ended, is one of a deployment, and Bitbucket tells none of \
             this pipeline",
            "the pipeline's own, else the most important of its steps",
            "the pipeline's own",
        )
    };
    lines.verdict("row", "a deployment", row);
    lines.verdict("environment", &release.environment, environment);
    lines.verdict("result", release.result, result);
}

/// Why an issue has its type, its status and its date of resolution.
#[must_use]
pub fn issue(
    rules: &Rules,
    issue: &issue::Model,
    changes: &[Sourced<issue_change::Model>],
) -> Vec<Line> {
    let mut lines = Lines::new("issue");
    let kind = rules.issue_type_of(&issue.kind, &mut |entry| lines.add(entry));
    let status = rules.issue_status_of(&issue.state, &mut |entry| lines.add(entry));
    lines.verdict("type", kind, "");
    lines.verdict("status", status, "");
    let resolved = issues::resolution::date(issue, changes, rules);
    let logged = changes.iter().filter(|change| {
        change.row.field == "state" && change.row.bitbucket_created_at == resolved
    });
    let because = match resolved {
        None => "its status is not DONE",
        Some(_) if logged.count() > 0 => "when its change log says that it became done",
        Some(_) => "its last update: the change log does not say when it became done",
    };
    let resolved = resolved.map(|time| time.to_rfc3339()).unwrap_or_default();
    lines.verdict("resolution_date", &resolved, because);
    lines.lines
}
