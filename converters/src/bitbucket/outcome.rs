//! How pipelines, steps and deployments stand and how they ended, by Bitbucket's own words.

use crate::rules::{Trace, TraceEntry, decide};

/// SUCCESS, FAILURE or empty, by a pipeline's own word.
#[must_use]
pub(super) fn pipeline_result(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "PASSED" => "SUCCESS",
        _ => step_result(word),
    }
}

/// SUCCESS, FAILURE or empty, by a step's own word.
#[must_use]
pub(super) fn step_result(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "SUCCESSFUL" | "COMPLETED" => "SUCCESS",
        "FAILED" | "ERROR" | "STOPPED" => "FAILURE",
        _ => "",
    }
}

/// Status of a pipeline, by its own word.
#[must_use]
pub(super) fn pipeline_status(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "IN_PROGRESS" | "PENDING" | "RUNNING" | "PAUSED" | "BUILDING" => "IN_PROGRESS",
        "COMPLETED" | "SUCCESSFUL" | "PASSED" | "FAILED" | "ERROR" | "STOPPED" | "HALTED" => "DONE",
        _ => "OTHER",
    }
}

/// Status of a step, by its own word.
#[must_use]
pub(super) fn step_status(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "IN_PROGRESS" | "PENDING" | "BUILDING" | "READY" => "IN_PROGRESS",
        "COMPLETED" | "SUCCESSFUL" | "FAILED" | "ERROR" | "STOPPED" => "DONE",
        _ => "OTHER",
    }
}

/// Status of a deployment, by its own word.
#[must_use]
pub(super) fn deployment_status(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "IN_PROGRESS" => "IN_PROGRESS",
        "COMPLETED" | "SUCCESSFUL" | "FAILED" | "STOPPED" | "CANCELLED" => "DONE",
        _ => "OTHER",
    }
}

/// Result of a deployment: by its own outcome, else by its step's when it is done, else by its
/// state.
pub(super) fn deployment_result<'a>(
    outcome: &'a str,
    step_result: &'a str,
    state: &'a str,
    log: Trace<'_, 'a>,
) -> &'static str {
    let done = deployment_status(state) == "DONE";
    let step_result = if done { step_result } else { "" };
    let words = [
        ("state.status", "outcome of the deployment", outcome),
        ("result of its step", "result of the step", step_result),
        ("state.name", "state of the deployment", state),
    ];
    let mut result = None;
    for (rule, subject, text) in words {
        let told = (!text.is_empty()).then(|| deployment_word(text));
        decide(&mut result, told, log, |found| TraceEntry {
            decides: "result",
            rule,
            subject,
            text,
            found,
        });
    }
    result.unwrap_or_default()
}

fn deployment_word(word: &str) -> &'static str {
    match word.to_uppercase().as_str() {
        "SUCCESSFUL" | "COMPLETED" => "SUCCESS",
        "FAILED" | "ERROR" | "STOPPED" | "CANCELLED" => "FAILURE",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::untraced;

    #[test]
    fn a_deployment_ends_as_it_says_else_as_its_step_else_as_its_state() {
        for (outcome, step, state, expected) in [
            ("SUCCESSFUL", "FAILED", "COMPLETED", "SUCCESS"),
            ("FAILED", "", "COMPLETED", "FAILURE"),
            ("STOPPED", "", "COMPLETED", "FAILURE"),
            ("", "FAILED", "COMPLETED", "FAILURE"),
            ("", "", "COMPLETED", "SUCCESS"),
            ("", "", "CANCELLED", "FAILURE"),
            ("", "SUCCESSFUL", "IN_PROGRESS", ""),
            ("", "", "UNDEPLOYED", ""),
            ("", "", "", ""),
        ] {
            let found = deployment_result(outcome, step, state, &mut untraced);
            assert_eq!(found, expected, "{outcome}/{step}/{state}");
        }
    }

    #[test]
    fn states_mean_what_they_mean_to_devlake() {
        for (word, pipeline, step, deployment) in [
            ("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS"),
            ("PENDING", "IN_PROGRESS", "IN_PROGRESS", "OTHER"),
            ("READY", "OTHER", "IN_PROGRESS", "OTHER"),
            ("HALTED", "DONE", "OTHER", "OTHER"),
            ("completed", "DONE", "DONE", "DONE"),
            ("NOT_RUN", "OTHER", "OTHER", "OTHER"),
            ("CANCELLED", "OTHER", "OTHER", "DONE"),
        ] {
            let found = (
                pipeline_status(word),
                step_status(word),
                deployment_status(word),
            );
            assert_eq!(found, (pipeline, step, deployment), "{word}");
        }
    }

    #[test]
    fn what_passed_is_a_success_of_a_pipeline_only() {
        for (word, pipeline, step) in [
            ("PASSED", "SUCCESS", ""),
            ("successful", "SUCCESS", "SUCCESS"),
            ("STOPPED", "FAILURE", "FAILURE"),
            ("NOT_RUN", "", ""),
        ] {
            let found = (pipeline_result(word), step_result(word));
            assert_eq!(found, (pipeline, step), "{word}");
        }
    }
}
