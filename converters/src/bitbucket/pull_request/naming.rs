//! Which issues a pull request names: in its title, its branch, or messages of its commits.

use std::collections::BTreeMap;

use headwater_domain::crossdomain::pull_request_mention;
use headwater_domain::id::bitbucket as id;
use headwater_domain::mentions::{self, Mention};
use headwater_domain::tool::bitbucket::{pull_request, pull_request_commit};
use headwater_domain::{Scope, Sourced};

/// Issues of one pull request that are taken: those of its title and branch, and of its commits
/// the first by number or key.
const MOST: usize = 1000;

/// The issues that a pull request names, each with the first place that does.
pub(super) fn mentions(
    scope: &Scope,
    source: &pull_request::Model,
    commits: &[Sourced<pull_request_commit::Model>],
) -> Vec<pull_request_mention::Model> {
    let messages = commits
        .iter()
        .flat_map(|commit| mentions::of_text(&commit.row.mentions));
    let mut places: BTreeMap<Mention, &'static str> =
        messages.map(|mention| (mention, "message")).collect();
    while places.len() > MOST {
        places.pop_last();
    }
    // What goes before writes over.
    for (text, place) in [(&source.head_ref, "branch"), (&source.title, "title")] {
        for mention in mentions::of_text(text) {
            places.insert(mention, place);
        }
    }
    let pull_request_id = id::pull_request(scope, source.bitbucket_id);
    let rows = places
        .into_iter()
        .map(|(mention, place)| pull_request_mention::Model {
            pull_request_id: pull_request_id.clone(),
            issue_id: mention.own_issue(&id::IDS, scope),
            mention: mention.to_string(),
            place: place.to_owned(),
        });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(message: &str) -> Sourced<pull_request_commit::Model> {
        let row = pull_request_commit::Model {
            mentions: mentions::line(&mentions::of_text(message)),
            ..pull_request_commit::Model::default()
        };
        crate::shown_rows::sourced(1, row)
    }

    fn named(title: &str, branch: &str, messages: &[&str]) -> Vec<(String, String)> {
        let source = pull_request::Model {
            title: title.to_owned(),
            head_ref: branch.to_owned(),
            ..pull_request::Model::default()
        };
        let commits: Vec<_> = messages.iter().map(|message| commit(message)).collect();
        let rows = mentions(&crate::shown_rows::scope(), &source, &commits);
        let rows = rows.into_iter().map(|row| (row.mention, row.place));
        rows.collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn the_title_goes_before_the_branch_and_the_branch_before_messages() {
        let found = named(
            "Solve #1",
            "feature/#2-ABC-7",
            &["#1 #2 #3", "#3 ABC-7", "(pull request #9)"],
        );
        let expected = [
            ("#1", "title"),
            ("#2", "branch"),
            ("#3", "message"),
            ("ABC-7", "branch"),
        ];
        assert_eq!(found, pairs(&expected));
        assert_eq!(named("", "", &[]), []);
    }

    #[test]
    fn a_number_is_of_the_own_tracker_and_a_key_of_whichever_has_it() {
        let source = pull_request::Model {
            title: "#12 ABC-12".to_owned(),
            bitbucket_id: 5,
            ..pull_request::Model::default()
        };
        let scope = crate::shown_rows::scope();
        let rows = mentions(&scope, &source, &[]);
        let ids: Vec<&str> = rows.iter().map(|row| row.issue_id.as_str()).collect();
        assert_eq!(ids, [id::issue(&scope, 12).as_str(), ""]);
        assert_eq!(rows[0].pull_request_id, id::pull_request(&scope, 5));
    }

    #[test]
    fn a_pull_request_brings_a_bounded_number_of_rows() {
        let message = |start: i64| {
            let numbers = start..start + 100;
            let numbers = numbers.map(|number| format!("#{number}"));
            numbers.collect::<Vec<_>>().join(" ")
        };
        let messages: Vec<String> = (0..50).map(|part| message(100 * part + 1)).collect();
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        let found = named("#9999", "", &messages);
        assert_eq!(found.len(), MOST + 1);
        assert!(found.contains(&("#9999".to_owned(), "title".to_owned())));
    }
}
