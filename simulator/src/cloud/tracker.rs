//! The lists of the issue tracker, where a test has opened it.

use crate::cloud::payload::{self, Place};
use crate::world::Issue;

use super::answer::Answer;
use super::filter::{Kind, Value};
use super::order::Listing;
use super::paging::{self, LISTS};
use super::{Session, rendered};

const ISSUES: Listing<'static> = Listing {
    fields: &[
        ("created_on", Kind::Time),
        ("id", Kind::Number),
        ("kind", Kind::Text),
        ("priority", Kind::Text),
        ("state", Kind::Text),
        ("title", Kind::Text),
        ("updated_on", Kind::Time),
    ],
    sortable: &["created_on", "id", "updated_on"],
    usual: ("updated_on", true),
};

impl Session<'_> {
    /// Answers below `issues`.
    pub(super) fn issues(&self, place: Place<'_>, rest: &[&str]) -> Result<Answer, Answer> {
        if !self.world.has_trackers() {
            return Err(match self.request.quirks.issues_status {
                410 => Answer::error(410, "Resource removed"),
                status => Answer::error(status, "Repository has no issue tracker."),
            });
        }
        let issues = &place.repository.issues;
        let Some((id, rest)) = rest.split_first() else {
            let choice = ISSUES.read(&self.request.query)?;
            let ids = choice.of(issues.values(), field, |issue| issue.id);
            return paging::numbered(self.request, &ids, LISTS, |out, id| {
                if let Some(issue) = issues.get(id) {
                    payload::issue(out, place, issue);
                }
            });
        };
        let found = id.parse().ok().and_then(|id: u64| issues.get(&id));
        let issue = found.ok_or_else(|| Answer::not_found("Issue"))?;
        match rest {
            [] => Ok(rendered(|out| payload::issue(out, place, issue))),
            ["comments"] => {
                paging::numbered(self.request, &issue.comments, LISTS, |out, comment| {
                    payload::issue_comment(out, place, issue, comment);
                })
            }
            ["changes"] => paging::numbered(self.request, &issue.changes, LISTS, |out, change| {
                payload::issue_change(out, place, issue, change);
            }),
            _ => Err(Answer::no_route()),
        }
    }
}

fn field<'a>(issue: &'a Issue, name: &str) -> Value<'a> {
    match name {
        "created_on" => Value::Time(issue.created_on),
        "id" => Value::Number(issue.id),
        "kind" => Value::text(issue.kind),
        "priority" => Value::text(issue.priority),
        "state" => Value::text(issue.state),
        "title" => Value::text(&issue.title),
        "updated_on" => Value::Time(issue.updated_on),
        _ => Value::Null,
    }
}
