//! Pipelines, steps, deployments and environments. These lists know no filter.

use crate::behaviour::PipelinesOff;
use crate::cloud::payload::{self, Place, json::object};
use crate::world::Pipeline;

use super::Session;
use super::answer::Answer;
use super::paging::{self, LISTS};
use super::rendered;

/// Whether pipelines are switched on.
pub(super) fn configuration(off: Option<PipelinesOff>) -> Result<Answer, Answer> {
    if off.is_some_and(|off| off.untouched) {
        return Err(Answer::not_found("Pipelines configuration"));
    }
    Ok(rendered(|out| {
        object(out, |it| {
            it.text("type", "repository_pipelines_configuration");
            it.flag("enabled", off.is_none());
        });
    }))
}

impl Session<'_> {
    pub(super) fn pipelines(&self, place: Place<'_>, rest: &[&str]) -> Result<Answer, Answer> {
        let mut pipelines = place.repository.pipelines(self.world.now());
        if let Some(every) = self.request.quirks.unending_pipelines {
            let unending = |pipeline: &&mut Pipeline| pipeline.build_number.is_multiple_of(every);
            for pipeline in pipelines.iter_mut().filter(unending) {
                pipeline.completed_on = None;
            }
        }
        let [uuid, rest @ ..] = rest else {
            match self.request.query.get("sort") {
                Some("-created_on") => {}
                None | Some("created_on") => pipelines.reverse(),
                Some(_) => return Err(Answer::bad_request("Invalid sort attribute")),
            }
            return paging::numbered(self.request, &pipelines, LISTS, |out, pipeline| {
                payload::pipeline(out, place, pipeline);
            });
        };
        let found = pipelines
            .into_iter()
            .find(|pipeline| pipeline.uuid == *uuid);
        let found = found.ok_or_else(|| Answer::not_found("Pipeline"))?;
        match rest {
            [] => Ok(rendered(|out| payload::pipeline(out, place, &found))),
            ["steps"] => paging::numbered(self.request, &found.steps(), LISTS, |out, step| {
                payload::pipeline_step(out, &found, step);
            }),
            _ => Err(Answer::no_route()),
        }
    }

    pub(super) fn deployments(&self, place: Place<'_>, rest: &[&str]) -> Result<Answer, Answer> {
        let deployments = place.repository.deployments(self.world.now());
        let environments = self.environments;
        let [uuid] = rest else {
            if self.request.query.get("sort").is_some() {
                return Err(Answer::bad_request("Invalid sort attribute"));
            }
            return paging::numbered(self.request, &deployments, LISTS, |out, deployment| {
                payload::deployment(out, place, deployment, environments);
            });
        };
        let found = deployments
            .iter()
            .find(|deployment| deployment.uuid == *uuid);
        let found = found.ok_or_else(|| Answer::not_found("Deployment"))?;
        Ok(rendered(|out| {
            payload::deployment(out, place, found, environments);
        }))
    }

    pub(super) fn environments(&self, place: Place<'_>, rest: &[&str]) -> Result<Answer, Answer> {
        let places: Vec<usize> = (0..place.repository.environments().len()).collect();
        let [uuid] = rest else {
            return paging::numbered(self.request, &places, LISTS, |out, environment| {
                payload::environment(out, place, *environment);
            });
        };
        let own =
            |found: &&usize| crate::world::environment_uuid(place.repository, **found) == *uuid;
        let found = places.iter().find(own);
        let found = found.ok_or_else(|| Answer::not_found("Environment"))?;
        Ok(rendered(|out| payload::environment(out, place, *found)))
    }
}
