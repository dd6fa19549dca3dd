//! What projects make of a pull request, a deployment or an incident, as it is stored.

use chrono::{DateTime, SecondsFormat, Utc};
use headwater_converters::bitbucket::explain::Line;
use headwater_store::measuring::Sort;
use headwater_store::{Store, StoreError};

use super::build::Build;
use super::page;
use crate::cli::Explainable;
use crate::exit::Failure;

/// What a kind is in the tables; none for what no project measures.
pub(super) fn sort(kind: Explainable) -> Option<Sort> {
    match kind {
        Explainable::PullRequest => Some(Sort::PullRequest),
        Explainable::Deployment => Some(Sort::Deployment),
        Explainable::Incident | Explainable::Issue => Some(Sort::Incident),
        Explainable::Task | Explainable::Metric => None,
    }
}

/// The domain id of what is named by its address or as `acme/rocket#12`; none for another form.
///
/// # Errors
/// When the database fails.
pub(super) async fn id_of(
    store: &Store,
    sort: Sort,
    name: &str,
) -> Result<Option<Vec<String>>, Failure> {
    let mut name = name.to_owned();
    if name.contains("://") {
        let ids = store.ids_of(sort, Some(&name), None).await?;
        match page::named(&name) {
            // Of builds and of pages within a page the tables have another address.
            Some((kind, numbered)) if ids.is_empty() && self::sort(kind) == Some(sort) => {
                name = numbered;
            }
            // The page of a step is one of its build.
            Some((Explainable::Task, numbered)) if sort == Sort::Deployment => {
                name = numbered;
            }
            _ => return Ok(Some(ids)),
        }
    }
    if sort == Sort::Deployment
        && let Some(build) = Build::parse(&name)
    {
        let ids = store.ids_of(sort, None, Some(build.numbered())).await?;
        // Why a build is no deployment is worth an answer, too.
        return Ok(Some(if ids.is_empty() {
            build.pipeline_ids(store).await?
        } else {
            ids
        }));
    }
    let Some((repository, number)) = name.rsplit_once('#') else {
        return Ok(None);
    };
    let Ok(number) = number.parse() else {
        return Ok(None);
    };
    let ids = store.ids_of(sort, None, Some((repository, number)));
    Ok(Some(ids.await?))
}

/// One line for each step of the chain, in each project.
///
/// # Errors
/// When the database fails.
pub(super) async fn lines(store: &Store, sort: Sort, id: &str) -> Result<Vec<Line>, StoreError> {
    match sort {
        Sort::PullRequest => of_pull_request(store, id).await,
        Sort::Deployment => of_deployment(store, id).await,
        Sort::Incident => of_incident(store, id).await,
    }
}

fn line(of: &'static str, project: &str, decides: &str) -> Line {
    Line {
        of,
        decides: decides.to_owned(),
        rule: format!("project {project}"),
        looked_at: String::new(),
        text: String::new(),
        matches: "",
        because: String::new(),
        gives: String::new(),
    }
}

fn shown(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(String::new, |at| {
        at.to_rfc3339_opts(SecondsFormat::Millis, true)
    })
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

async fn of_pull_request(store: &Store, id: &str) -> Result<Vec<Line>, StoreError> {
    const MOMENTS: [&str; 5] = [
        "first commit",
        "created",
        "first review",
        "merged",
        "deployed",
    ];
    const PHASES: [(&str, &str); 5] = [
        ("coding", "first commit to created"),
        ("pickup", "created to first review"),
        ("review", "first review to merged"),
        ("deploy", "merged to deployed"),
        ("cycle", "coding, created to merged, and deploy together"),
    ];
    let mut lines = Vec::new();
    for chain in store.chains_of_pull_request(id).await? {
        for (name, (row, at)) in MOMENTS.into_iter().zip(&chain.moments) {
            lines.push(Line {
                text: row.clone(),
                matches: yes(at.is_some()),
                because: match (name, at) {
                    ("deployed", Some(_)) => format!("found by {}", chain.method),
                    ("deployed", None) => chain.reason.clone(),
                    (_, Some(_)) => String::new(),
                    (_, None) => "there is none".to_owned(),
                },
                gives: shown(*at),
                looked_at: "moment".to_owned(),
                ..line("pull_request", &chain.project, name)
            });
        }
        for ((name, from_to), minutes) in PHASES.into_iter().zip(chain.minutes) {
            lines.push(Line {
                looked_at: "minutes".to_owned(),
                matches: yes(minutes.is_some()),
                because: from_to.to_owned(),
                gives: minutes.map_or_else(String::new, |it| it.to_string()),
                ..line("pull_request", &chain.project, name)
            });
        }
    }
    Ok(lines)
}

async fn of_deployment(store: &Store, id: &str) -> Result<Vec<Line>, StoreError> {
    let mut lines = Vec::new();
    for chain in store.chains_of_deployment(id).await? {
        let own = |decides: &str| line("deployment", &chain.project, decides);
        lines.push(Line {
            looked_at: "result".to_owned(),
            text: chain.result.clone(),
            matches: "yes",
            because: "it went to an environment that is production".to_owned(),
            gives: shown(chain.finished),
            ..own("production")
        });
        lines.push(Line {
            matches: yes(chain.failed),
            because: match chain.incidents.len() {
                0 => String::new(),
                count => format!("{count} incidents are linked with it"),
            },
            ..own("failed")
        });
        lines.push(Line {
            matches: yes(!chain.repairs.is_empty()),
            gives: chain.repairs.clone(),
            ..own("repairs")
        });
        lines.push(Line {
            looked_at: "commits".to_owned(),
            matches: yes(chain.commits.is_some_and(|it| it > 0)),
            because: "it was the first to ship them".to_owned(),
            gives: chain.commits.unwrap_or_default().to_string(),
            ..own("commits")
        });
        lines.extend(chain.pull_requests.iter().map(|id| Line {
            text: id.clone(),
            matches: "yes",
            because: "it was the first to ship it".to_owned(),
            ..own("pull request")
        }));
        lines.extend(chain.incidents.iter().map(|(id, method)| Line {
            text: id.clone(),
            matches: "yes",
            because: format!("linked by {method}"),
            ..own("incident")
        }));
    }
    Ok(lines)
}

async fn of_incident(store: &Store, id: &str) -> Result<Vec<Line>, StoreError> {
    let chains = store.chains_of_incident(id).await?.into_iter();
    let lines = chains.map(|chain| {
        let is_linked = !chain.deployment.is_empty();
        Line {
            text: chain.deployment,
            matches: yes(is_linked),
            because: if is_linked {
                format!("linked by {}", chain.because)
            } else {
                chain.because
            },
            gives: chain
                .confidence
                .map_or_else(String::new, |it| format!("confidence {it}")),
            looked_at: "deployment".to_owned(),
            ..line("incident", &chain.project, "cause")
        }
    });
    Ok(lines.collect())
}
