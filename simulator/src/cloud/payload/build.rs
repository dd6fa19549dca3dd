//! Pipelines, their steps, deployments and environments.

use crate::world::{Deployment, Pipeline, PipelineStep, Time, environment_uuid};

use super::json::{Object, object};
use super::{API, Place, WEB};

/// This part of the service writes `Z`, and as many digits as it needs.
fn time(it: &mut Object<'_>, key: &str, value: Time) {
    it.shown(
        key,
        format_args!("{}", value.format("%Y-%m-%dT%H:%M:%S%.fZ")),
    );
}

fn seconds(from: Time, to: Time) -> u64 {
    u64::try_from((to - from).num_seconds()).unwrap_or_default()
}

pub(crate) fn pipeline(out: &mut String, place: Place<'_>, pipeline: &Pipeline) {
    object(out, |it| {
        it.text("type", "pipeline");
        it.text("uuid", &pipeline.uuid);
        it.number("build_number", pipeline.build_number);
        it.object("state", |state| {
            if pipeline.completed_on.is_some() {
                state.text("type", "pipeline_state_completed");
                state.text("name", "COMPLETED");
                state.object("result", |result| {
                    let (kind, name) = if pipeline.failed {
                        ("pipeline_state_completed_failed", "FAILED")
                    } else {
                        ("pipeline_state_completed_successful", "SUCCESSFUL")
                    };
                    result.text("type", kind);
                    result.text("name", name);
                });
            } else {
                state.text("type", "pipeline_state_in_progress");
                state.text("name", "IN_PROGRESS");
                state.object("stage", |stage| {
                    stage.text("type", "pipeline_state_in_progress_running");
                    stage.text("name", "RUNNING");
                });
            }
        });
        it.object("target", |it| target(it, pipeline));
        time(it, "created_on", pipeline.created_on);
        if let Some(completed) = pipeline.completed_on {
            time(it, "completed_on", completed);
            let ran = seconds(pipeline.created_on, completed);
            it.number("duration_in_seconds", ran);
            it.number("build_seconds_used", ran);
        }
        it.object("links", |links| {
            links.text("type", "pipeline_links");
            links.object("self", |link| {
                link.text("type", "link");
                let uuid = pipeline.uuid.trim_matches(['{', '}']);
                link.shown(
                    "href",
                    format_args!(
                        "{API}/repositories/{}/pipelines/%7B{uuid}%7D",
                        place.full_name
                    ),
                );
            });
        });
    });
}

/// What a pipeline ran for. One of a pull request names the branch as its source, and has no ref.
fn target(it: &mut Object<'_>, pipeline: &Pipeline) {
    let commit = |it: &mut Object<'_>, key: &str, hash: &str| {
        it.object(key, |commit| {
            commit.text("type", "commit");
            commit.text("hash", hash);
        });
    };
    if let Some(pull_request) = &pipeline.pull_request {
        it.text("type", "pipeline_pullrequest_target");
        it.text("source", &pipeline.ref_name);
        it.text("destination", &pull_request.destination);
        commit(it, "destination_commit", &pull_request.destination_commit);
        it.object("pullrequest", |it| {
            it.text("type", "pullrequest");
            it.number("id", pull_request.id);
            it.text("title", &pull_request.title);
        });
        it.object("selector", |it| {
            it.text("type", "pull-requests");
            it.text("pattern", "**");
        });
    } else {
        it.text("type", "pipeline_ref_target");
        it.text("ref_type", pipeline.ref_type);
        it.text("ref_name", &pipeline.ref_name);
    }
    commit(it, "commit", &pipeline.commit);
}

pub(crate) fn pipeline_step(out: &mut String, pipeline: &Pipeline, step: &PipelineStep) {
    object(out, |it| {
        it.text("type", "pipeline_step");
        it.text("uuid", &step.uuid);
        it.text("name", step.name);
        it.object("pipeline", |parent| {
            parent.text("type", "pipeline");
            parent.text("uuid", &pipeline.uuid);
        });
        it.object("trigger", |trigger| {
            let kind = if step.manual { "manual" } else { "automatic" };
            trigger.shown("type", format_args!("pipeline_step_trigger_{kind}"));
        });
        it.object("state", |state| {
            let (name, result) = step.state;
            let kind = name.to_lowercase();
            state.shown("type", format_args!("pipeline_step_state_{kind}"));
            state.text("name", name);
            if let Some(name) = result {
                let outcome = name.to_lowercase();
                state.object("result", |result| {
                    result.shown("type", format_args!("pipeline_step_state_{kind}_{outcome}"));
                    result.text("name", name);
                });
            }
        });
        it.number("maxTime", 120);
        it.number("run_number", step.run_number);
        if let Some(started) = step.started_on {
            time(it, "started_on", started);
            if let Some(completed) = step.completed_on {
                time(it, "completed_on", completed);
                it.number("duration_in_seconds", seconds(started, completed));
                it.number("build_seconds_used", seconds(started, completed));
            }
        }
    });
}

pub(crate) fn environment(out: &mut String, place: Place<'_>, environment: usize) {
    let Some((name, slug, kind)) = place.repository.environments().get(environment) else {
        return;
    };
    object(out, |it| {
        it.text("type", "deployment_environment");
        it.text("uuid", &environment_uuid(place.repository, environment));
        it.text("name", name);
        it.text("slug", slug);
        it.number("rank", environment as u64);
        it.object("environment_type", |it| {
            it.text("type", "deployment_environment_type");
            it.text("name", kind);
        });
    });
}

/// How much of an environment a deployment shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Environment {
    /// Its identity.
    Stub,
    /// All of it.
    Whole,
}

pub(crate) fn deployment(
    out: &mut String,
    place: Place<'_>,
    deployment: &Deployment,
    environments: Environment,
) {
    let pipeline = &deployment.pipeline;
    let step = &deployment.step;
    let page = format!("{WEB}/{}", place.full_name);
    let number = pipeline.build_number;
    object(out, |it| {
        it.text("type", "deployment");
        it.text("uuid", &deployment.uuid);
        it.value("environment", |out| match environments {
            Environment::Whole => environment(out, place, deployment.environment),
            Environment::Stub => object(out, |it| {
                it.text("type", "deployment_environment");
                it.text(
                    "uuid",
                    &environment_uuid(place.repository, deployment.environment),
                );
            }),
        });
        it.object("step", |it| it.text("uuid", &step.uuid));
        it.object("release", |it| {
            it.text("type", "deployment_release");
            it.object("pipeline", |it| {
                it.text("type", "pipeline");
                it.text("uuid", &pipeline.uuid);
            });
            it.shown("key", format_args!("pipelines-{}", pipeline.uuid));
            it.shown("name", format_args!("#{number}"));
            it.shown(
                "url",
                format_args!("{page}/addon/pipelines/home#!/results/{number}"),
            );
            time(it, "created_on", pipeline.created_on);
            it.object("commit", |it| {
                it.text("type", "commit");
                it.text("hash", &pipeline.commit);
                it.object("links", |links| {
                    links.link("html", format_args!("{page}/commits/{}", pipeline.commit));
                });
            });
        });
        it.object("state", |it| {
            let (name, result) = deployment.state;
            let kind = name.to_lowercase();
            it.shown("type", format_args!("deployment_state_{kind}"));
            it.text("name", name);
            if let Some(result) = result {
                let outcome = result.to_lowercase();
                it.object("status", |it| {
                    it.shown("type", format_args!("deployment_state_{kind}_{outcome}"));
                    it.text("name", result);
                });
            }
            it.shown(
                "url",
                format_args!("{page}/addon/pipelines/home#!/results/{number}"),
            );
            if let Some(started) = deployment.started_on {
                time(it, "started_on", started);
            }
            if let Some(completed) = deployment.completed_on {
                time(it, "completed_on", completed);
            }
        });
    });
}
