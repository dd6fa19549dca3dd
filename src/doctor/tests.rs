//! Each finding, from as little as shows it; and nothing of what is in order.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use headwater_domain::Scope;
use headwater_store::symptoms::{Announcement, Counted, DEPLOYED, Merged, ReadList, Symptoms};

use super::{Code, Finding, Harm, examine};
use crate::config::{self, Config};

const REPOSITORY: &str = "bitbucket:BitbucketRepo:1:acme/rocket";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn configured(more: &str) -> Config {
    let text = format!(
        "[[connection]]\nid = 1\nname = \"acme\"\nkind = \"bitbucket-cloud\"\n\
         auth.kind = \"none\"\nscopes = [\"acme/*\"]\n{more}"
    );
    let (config, problems) = config::parse(&text, "headwater.toml");
    config.unwrap_or_else(|| panic!("{problems:?}"))
}

fn counted(scope: &str, name: &str, count: i64) -> Counted {
    Counted {
        scope: scope.to_owned(),
        name: name.to_owned(),
        count,
    }
}

fn params() -> String {
    Scope::new(1, "acme/rocket").params()
}

fn list(days: i64) -> ReadList {
    ReadList {
        connection_id: 1,
        scope: "acme/rocket".to_owned(),
        stream: "pull_requests".to_owned(),
        state: "success".to_owned(),
        succeeded_at: Some(now() - TimeDelta::days(days)),
    }
}

/// A project of one repository with nothing wrong.
fn healthy() -> Symptoms {
    let row = |table: &str| (table.to_owned(), REPOSITORY.to_owned());
    Symptoms {
        repositories: BTreeMap::from([(REPOSITORY.to_owned(), params())]),
        projects: BTreeMap::from([("shop".to_owned(), vec![row("cicd_scopes"), row("repos")])]),
        steps: vec![counted(&params(), "Deploy", 9)],
        merged: vec![Merged {
            repo_id: REPOSITORY.to_owned(),
            merged: 100,
            unlinked: 9,
        }],
        incidents: BTreeMap::from([("shop".to_owned(), 1)]),
        production: vec![counted(REPOSITORY, "prod", 3)],
        lists: vec![list(6)],
        ahead_seconds: BTreeMap::from([(1, -60)]),
        ..Symptoms::default()
    }
}

fn found(config: &str, symptoms: &Symptoms) -> Vec<Finding> {
    examine(&configured(config), symptoms, None, now())
}

/// The one finding.
fn only(config: &str, symptoms: &Symptoms) -> Finding {
    let mut findings = found(config, symptoms);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.remove(0)
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(found("token_expires = \"2099-01-01\"", &healthy()), []);
}

#[test]
fn a_pattern_that_never_matched_names_the_steps_and_a_pattern_that_would() {
    let symptoms = Symptoms {
        steps: vec![
            counted(&params(), "Build", 3),
            counted(&params(), "Deploy (eu)", 3),
        ],
        ..healthy()
    };
    let config = "[scope_config.default]\ndeployment_pattern = \"ship\"";
    let finding = only(config, &symptoms);
    assert_eq!(finding.code, Code::PatternNeverMatched);
    assert!(
        finding.what.contains("\"Build\", \"Deploy (eu)\""),
        "{finding:?}"
    );
    assert_eq!(
        finding.write,
        "[scope_config.default]\ndeployment_pattern = '^(Deploy \\(eu\\))$'"
    );
    assert_eq!(found(&finding.write, &symptoms), [], "what it says helps");
}

/// Pipelines of which so many have a deployment, and so many have none.
fn pipelines(deployed: i64, undeployed: i64) -> Symptoms {
    Symptoms {
        pipelines: vec![
            counted(&params(), "", undeployed),
            counted(&params(), DEPLOYED, deployed),
        ],
        ..healthy()
    }
}

#[test]
fn steps_that_decide_nothing_are_told_of_when_they_take_more_than_an_hour() {
    let budget = "requests_per_hour = 100\n";
    let finding = only(budget, &pipelines(40, 101));
    assert_eq!(finding.code, Code::StepsCostRequests);
    assert!(finding.what.contains("101 of 141"), "{finding:?}");
    assert!(finding.next.contains("101 requests less"), "{finding:?}");
    let helped = format!("{budget}{}", finding.write);
    assert_eq!(
        found(&helped, &pipelines(40, 101)),
        [],
        "what it says helps"
    );
    assert_eq!(found(budget, &pipelines(40, 100)), [], "an hour is enough");
    let looked_at = format!("{budget}[scope_config.default]\ndeployment_pattern = \"Deploy\"");
    assert_eq!(
        found(&looked_at, &pipelines(40, 101)),
        [],
        "a pattern looks"
    );
}

#[test]
fn a_pattern_for_steps_that_are_not_collected_says_what_it_cannot_see() {
    let rules = |steps: &str| {
        format!("[scope_config.default]\ndeployment_pattern = \"Deploy\"\nsteps = \"{steps}\"")
    };
    for (steps, expected) in [
        ("deployments", "leaves them out of 3 of 7 pipelines"),
        ("matching", "leaves them out of up to 3 of 7 pipelines"),
    ] {
        let finding = only(&rules(steps), &pipelines(4, 3));
        assert_eq!(finding.code, Code::StepsNotLookedAt);
        assert!(finding.what.contains(expected), "{finding:?}");
    }
    assert_eq!(found(&rules("deployments"), &pipelines(4, 0)), []);
    assert_eq!(found(&rules("all"), &pipelines(4, 3)), []);
}

#[test]
fn deployments_to_environments_that_no_rule_knows_are_counted_and_named() {
    let symptoms = Symptoms {
        nowhere: vec![
            counted(&params(), "blue", 4),
            counted(&params(), "green", 1),
        ],
        ..healthy()
    };
    let finding = only("", &symptoms);
    assert_eq!(finding.code, Code::DeploymentsWithoutEnvironment);
    assert!(finding.what.starts_with("5 deployments"), "{finding:?}");
    assert!(finding.write.contains("environments.\"blue\""));
    configured(&finding.write);
}

#[test]
fn a_share_of_merges_that_were_not_found_is_told() {
    let mut symptoms = healthy();
    symptoms.merged[0].unlinked = 40;
    let finding = only("", &symptoms);
    assert_eq!(finding.code, Code::MergesNotFound);
    assert!(
        finding
            .what
            .contains("40 of 100 merged pull requests (40 %)"),
        "{finding:?}"
    );
    assert_eq!(finding.about, "acme/rocket");
    assert!(finding.write.contains("git.enabled = true"));
}

#[test]
fn short_hashes_that_stand_for_no_commit_are_told() {
    let symptoms = Symptoms {
        short_hashes: vec![
            counted(REPOSITORY, "UNKNOWN", 2),
            counted(REPOSITORY, "AMBIGUOUS", 1),
        ],
        ..healthy()
    };
    let finding = only("", &symptoms);
    assert_eq!(finding.code, Code::ShortHashes);
    assert!(finding.what.starts_with("3 short hashes"), "{finding:?}");
}

#[test]
fn two_environments_that_are_production_are_told_unless_they_are_named() {
    let symptoms = Symptoms {
        production: vec![counted(REPOSITORY, "eu", 2), counted(REPOSITORY, "us", 1)],
        ..healthy()
    };
    let finding = only("", &symptoms);
    assert_eq!(finding.code, Code::TwoProductionEnvironments);
    assert_eq!(finding.write, "production_environments = [\"eu\"]");
    let project = format!(
        "[[project]]\nname = \"shop\"\nscopes = []\n{}",
        finding.write
    );
    assert_eq!(found(&project, &symptoms), []);
}

#[test]
fn a_repository_that_was_never_deployed_is_named() {
    let symptoms = Symptoms {
        production: Vec::new(),
        ..healthy()
    };
    let finding = only("", &symptoms);
    assert_eq!(finding.code, Code::RepositoryWithoutDeployments);
    assert!(finding.what.contains("\"acme/rocket\""), "{finding:?}");
    assert_eq!(finding.code.harm(), Harm::Empty);
}

#[test]
fn a_repository_that_is_deployed_elsewhere_only_is_told_with_the_likely_environment() {
    for (names, likely) in [
        (&["staging", "live-eu"][..], "live-eu"),
        (&["Blue", "test"], "Blue"),
        (&["dev", "qa"], "qa"),
    ] {
        let elsewhere = names.iter().map(|name| counted(REPOSITORY, name, 2));
        let symptoms = Symptoms {
            production: Vec::new(),
            elsewhere: elsewhere.collect(),
            ..healthy()
        };
        let finding = only("", &symptoms);
        assert_eq!(finding.code, Code::RepositoryWithoutDeployments);
        let line = format!("[scope_config.default]\nenvironments.\"{likely}\" = \"PRODUCTION\"");
        assert_eq!(finding.write, line, "{names:?}");
        configured(&finding.write);
    }
}

#[test]
fn a_project_without_an_incident_ever_is_told_unless_something_else_tells_failures() {
    let symptoms = Symptoms {
        incidents: BTreeMap::new(),
        ..healthy()
    };
    let finding = only("", &symptoms);
    assert_eq!(finding.code, Code::NoIncidentSource);
    let project = "[[project]]\nname = \"shop\"\nscopes = []\nfailure_sources = [\"revert\"]";
    assert_eq!(found(project, &symptoms), []);
}

#[test]
fn a_project_without_a_scope_is_told() {
    let finding = only("[[project]]\nname = \"idle\"\nscopes = []", &healthy());
    assert_eq!(finding.code, Code::ProjectWithoutScopes);
    assert_eq!(finding.about, "idle");
}

#[test]
fn dead_letters_and_lists_that_are_old_or_failed_are_told() {
    let symptoms = Symptoms {
        dead_letters: vec![counted(&params(), "issues", 2)],
        lists: vec![
            list(8),
            ReadList {
                state: "failed".to_owned(),
                stream: "issues".to_owned(),
                succeeded_at: None,
                ..list(0)
            },
        ],
        ..healthy()
    };
    let findings = found("", &symptoms);
    let codes: Vec<Code> = findings.iter().map(|it| it.code).collect();
    assert_eq!(codes, [Code::DeadLetters, Code::ListNotRead]);
    assert_eq!(findings[0].what, "2 items of issues could not be processed");
    assert_eq!(
        findings[1].what,
        "2 lists of 1 repository were not read in the last 7 days: acme/rocket (pull_requests: \
         2026-09-13; issues: never, the last reading: failed)"
    );
    assert!(findings[1].next.contains("`headwater sync acme/rocket`"));
}

#[test]
fn old_lists_are_one_finding_that_names_some_repositories_and_counts_the_others() {
    let mut lists = Vec::new();
    for number in 10..22 {
        for stream in ["tags", "pull_requests"] {
            lists.push(ReadList {
                scope: format!("acme/{number}"),
                stream: stream.to_owned(),
                ..list(9)
            });
        }
    }
    lists.push(ReadList {
        connection_id: 7,
        stream: String::new(),
        succeeded_at: None,
        ..list(0)
    });
    let symptoms = Symptoms { lists, ..healthy() };
    let findings = found("", &symptoms);
    let whats: Vec<(&str, &str)> = findings
        .iter()
        .map(|it| (it.about.as_str(), it.what.as_str()))
        .collect();
    let expected = "24 lists of 12 repositories were not read in the last 7 days: \
                    acme/10 (pull_requests, tags: 2026-09-12), ";
    assert!(whats[1].1.starts_with(expected), "{whats:?}");
    assert!(
        whats[1]
            .1
            .ends_with("acme/19 (pull_requests, tags: 2026-09-12) and 2 more"),
        "{whats:?}"
    );
    assert!(
        findings[1].next.contains("`headwater sync`"),
        "{findings:?}"
    );
    assert_eq!(
        whats[0],
        (
            "7",
            "1 list of 1 repository was not read in the last 7 days: acme/rocket (never)"
        )
    );
    assert_eq!(findings.len(), 2);
}

#[test]
fn tokens_announced_removals_and_clocks_are_told() {
    let symptoms = Symptoms {
        announcements: vec![Announcement {
            connection_id: 1,
            endpoint: "/2.0/repositories/*/*/issues".to_owned(),
            deprecation: "@1767225600".to_owned(),
            sunset: "Thu, 31 Dec 2026 23:59:59 GMT".to_owned(),
        }],
        ahead_seconds: BTreeMap::from([(1, 61)]),
        ..healthy()
    };
    let day = (now() + TimeDelta::days(9)).date_naive();
    let findings = found(&format!("token_expires = \"{day}\""), &symptoms);
    let codes: Vec<Code> = findings.iter().map(|it| it.code).collect();
    assert_eq!(
        codes,
        [Code::ClockSkew, Code::TokenExpires, Code::EndpointGoes]
    );
    assert!(
        findings[0].what.contains("61 seconds ahead"),
        "{findings:?}"
    );
    assert!(findings[1].what.contains("in 9 days"), "{findings:?}");
    assert!(
        findings[2]
            .what
            .contains("deprecated on 2026-01-01 and removed on 2026-12-31"),
        "{findings:?}"
    );
}

#[test]
fn only_what_concerns_a_project_is_told_of_it() {
    let mut symptoms = Symptoms {
        short_hashes: vec![counted(
            "bitbucket:BitbucketRepo:1:acme/other",
            "UNKNOWN",
            2,
        )],
        ..healthy()
    };
    let none = examine(&configured(""), &symptoms, Some("shop"), now());
    assert_eq!(none, []);
    symptoms.short_hashes[0].scope = REPOSITORY.to_owned();
    let one = examine(&configured(""), &symptoms, Some("shop"), now());
    assert_eq!(one.len(), 1, "{one:?}");
}

#[test]
fn findings_come_most_harmful_first() {
    let order = [
        Code::PatternNeverMatched,
        Code::NoIncidentSource,
        Code::ListNotRead,
    ];
    assert!(order.is_sorted());
    let harms = order.map(|code| code.harm().name());
    assert_eq!(harms, ["wrong", "empty", "old"]);
}

#[test]
fn what_git_would_save_is_told_where_lists_take_much_of_the_budget() {
    let of = |count: usize| {
        let repositories = (0..count).map(|number| {
            let name = format!("acme/rocket-{number}");
            let id = format!("bitbucket:BitbucketRepo:1:{name}");
            (id, Scope::new(1, name).params())
        });
        let mut symptoms = healthy();
        symptoms.repositories.extend(repositories);
        symptoms
    };
    let paid = "requests_per_hour = 1000";
    assert_eq!(found(paid, &of(80)), []);
    let finding = only(paid, &of(199));
    assert_eq!(finding.code, Code::GitSavesRequests);
    assert!(finding.what.contains("takes 600 of 1000"), "{finding:?}");
    assert!(finding.what.ends_with("400"), "{finding:?}");
    assert!(
        finding.write.starts_with("git.enabled = true"),
        "{finding:?}"
    );
    let with_git = format!("{paid}\ngit.enabled = true");
    assert_eq!(found(&with_git, &of(199)), []);
}
