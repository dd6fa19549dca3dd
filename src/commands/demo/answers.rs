//! What the demo ends with: what arrived, the DORA metrics, one of them explained, and what makes
//! them wrong.

use std::time::Duration;

use chrono::{DateTime, Utc};
use headwater_metrics::{Explained, Facts, Metric, Range, Rules, explain, measure, stored};
use headwater_store::Store;
use headwater_store::measuring::ChainOfPullRequest;
use serde_json::{Value, json};

use super::PROJECT;
use crate::commands::{doctor, metrics};
use crate::config::Config;
use crate::doctor::{Finding, examine};
use crate::exit::Failure;
use crate::output;
use crate::report::with_commas;

/// What is counted, and in which table.
const COUNTED: [(&str, &str); 8] = [
    ("repositories", "repos"),
    ("pull requests", "pull_requests"),
    ("commits", "commits"),
    ("pipelines", "cicd_pipelines"),
    ("deployments", "cicd_deployments"),
    ("issues", "issues"),
    ("people", "users"),
    ("teams", "teams"),
];

/// The moments of a pull request's way, and the phase that each ends.
const MOMENTS: [(&str, &str); 5] = [
    ("first commit", ""),
    ("opened", "coding"),
    ("first review", "pickup"),
    ("merged", "review"),
    ("deployed", "deploy"),
];

/// All answers, computed before the first one is shown.
pub(super) struct Answers {
    arrived: Vec<(&'static str, u64)>,
    facts: Facts,
    rules: Rules,
    range: Range,
    middle: Option<Middle>,
    findings: Vec<Finding>,
}

/// The pull request whose lead time is the one of the project.
struct Middle {
    id: String,
    title: String,
    minutes: i64,
    chain: ChainOfPullRequest,
}

impl Answers {
    pub(super) async fn of(
        store: &Store,
        config: &Config,
        now: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        let rules = config.measured_projects().rules_of(PROJECT);
        let range = metrics::range_of((None, None), &rules, now.timestamp_millis())?;
        let facts = stored::load(store, PROJECT, &rules).await?;
        let measured = measure(&facts, &rules);
        let explained = explain(&facts, &rules, &measured, &range, Metric::LeadTime);
        let mut arrived = Vec::new();
        for (what, table) in COUNTED {
            arrived.push((what, store.count_rows(table).await?));
        }
        let symptoms = store.symptoms().await?;
        Ok(Self {
            arrived,
            middle: middle(store, &facts, &explained).await?,
            findings: examine(config, &symptoms, Some(PROJECT), now),
            facts,
            rules,
            range,
        })
    }

    /// One line of JSON for each answer.
    pub(super) fn json(&self) {
        let answer = |about: &str, answer: &Value| {
            let line = json!({ "event": "answer", "about": about, "answer": answer });
            output::json_line(&line.to_string());
        };
        let arrived = self.arrived.iter();
        let arrived = arrived.map(|(what, count)| (what.replace(' ', "_"), json!(count)));
        answer("arrived", &Value::Object(arrived.collect()));
        answer(
            "dora",
            &metrics::by_week(&self.facts, PROJECT, &self.rules, &self.range),
        );
        if let Some(middle) = &self.middle {
            answer("explain", &middle.object());
        }
        let findings: Vec<Value> = self.findings.iter().map(doctor::object).collect();
        answer("doctor", &Value::Array(findings));
    }

    /// All of it, on one screen.
    pub(super) fn tell(
        &self,
        took: Duration,
        config: &str,
        variable: Option<&str>,
    ) -> Result<(), Failure> {
        let arrived = self.arrived.iter();
        let arrived: Vec<String> = arrived
            .map(|(what, count)| format!("{} {what}", with_commas(*count)))
            .collect();
        let (arrived, seconds) = (arrived.join(", "), took.as_secs_f64());
        let company = "A made-up company with its own Bitbucket on this machine; nothing leaves it";
        paragraph(&format!("{company}: {arrived} in {seconds:.1} s."), 0);
        output::line("");
        metrics::show(&self.facts, PROJECT, &self.rules, &self.range, width())?;
        if let Some(middle) = &self.middle {
            middle.tell();
        }
        output::line("\nWhat makes these numbers wrong (headwater doctor):");
        if self.findings.is_empty() {
            output::line("nothing was found");
        }
        for line in (1..)
            .zip(self.findings.iter().take(1))
            .flat_map(doctor::paragraph)
        {
            paragraph(&line, 3);
        }
        output::line("\nAsk more; what the doctor says goes into the file that is named here:");
        output::line(format_args!("  export HEADWATER_CONFIG={config}"));
        if let Some(variable) = variable {
            output::line(format_args!(
                "  export {variable}=...  # the server's address"
            ));
        }
        output::line(format_args!(
            "  headwater transform && headwater metrics dora {PROJECT}\n  \
             headwater explain metric {PROJECT} change_failure_rate"
        ));
        Ok(())
    }
}

/// Characters of a line: of the terminal, else of a usual one.
fn width() -> usize {
    output::width().unwrap_or(80)
}

fn paragraph(line: &str, more: usize) {
    for line in output::indented(line, more, width()) {
        output::line(line);
    }
}

async fn middle(
    store: &Store,
    facts: &Facts,
    explained: &Explained,
) -> Result<Option<Middle>, Failure> {
    let Some(minutes) = explained.answer["value"].as_i64() else {
        return Ok(None);
    };
    let parts = explained.parts.iter();
    let found = parts
        .filter(|part| part.is_counted && part.minutes == Some(minutes))
        .map(|part| part.row.clone())
        .min();
    let Some(id) = found else { return Ok(None) };
    let chains = store.chains_of_pull_request(&id).await?;
    let chain = chains.into_iter().find(|chain| chain.project == PROJECT);
    let known = facts.pull_requests.iter().find(|known| known.id == id);
    let title = known.map_or_else(String::new, |known| known.title.clone());
    Ok(chain.map(|chain| Middle {
        id,
        title,
        minutes,
        chain,
    }))
}

impl Middle {
    /// `acme/rocket#12`
    fn name(&self) -> String {
        let mut parts = self.id.rsplitn(3, ':');
        let number = parts.next().unwrap_or_default();
        let repository = parts.next().unwrap_or_default();
        format!("{repository}#{number}")
    }

    fn tell(&self) {
        let took = metrics::duration(self.minutes);
        output::line(format_args!(
            "\nWhy a lead time of {took}? In the middle is {}:",
            self.name()
        ));
        let minutes = std::iter::once(None).chain(self.chain.minutes);
        let moments = MOMENTS.into_iter().zip(&self.chain.moments).zip(minutes);
        for (((moment, phase), (_, at)), minutes) in moments {
            let Some(at) = at else { continue };
            let at = at.format("%Y-%m-%d %H:%M");
            let took = minutes.map(metrics::duration).unwrap_or_default();
            let line = format!("  {moment:<12}  {at}  {phase:<6}  {took}");
            output::line(line.trim_end());
        }
    }

    fn object(&self) -> Value {
        let moments = MOMENTS.into_iter().zip(&self.chain.moments);
        let moments = moments.map(|((name, _), (row, at))| {
            json!({ "moment": name.replace(' ', "_"), "row": row, "at": at })
        });
        let phases = MOMENTS.into_iter().skip(1).zip(self.chain.minutes);
        let phases = phases.map(|((_, phase), minutes)| (phase.to_owned(), json!(minutes)));
        json!({
            "metric": Metric::LeadTime.name(),
            "minutes": self.minutes,
            "pull_request": self.name(),
            "row": self.id,
            "title": self.title,
            "moments": moments.collect::<Value>(),
            "phases": Value::Object(phases.collect()),
            "method": self.chain.method,
        })
    }
}
