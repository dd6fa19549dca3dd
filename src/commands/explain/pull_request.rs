//! The commits that a pull request added or became, and why there are none.

use headwater_converters::bitbucket::explain::Line;
use headwater_domain::merges::Method;
use headwater_store::Store;

use crate::exit::Failure;

/// One line for each commit, or one that says why there is none. None without such a row.
pub(super) async fn lines(store: &Store, id: &str) -> Result<Option<Vec<Line>>, Failure> {
    let Some(status) = store.pull_request_status(id).await? else {
        return Ok(None);
    };
    let found = store.merges_of(id).await?;
    let lines: Vec<Line> = found
        .into_iter()
        .map(|link| Line {
            looked_at: "history".to_owned(),
            because: because(&link.method).to_owned(),
            gives: if link.is_tip {
                "with it all is there".to_owned()
            } else {
                "a part".to_owned()
            },
            text: link.commit_sha,
            matches: "yes",
            ..line(link.method)
        })
        .collect();
    if !lines.is_empty() {
        return Ok(Some(lines));
    }
    let reason = store.reason_unlinked(id).await?;
    let because = reason.unwrap_or_else(|| match status.as_str() {
        "MERGED" => "no run has looked for its commits yet: run `headwater transform`".to_owned(),
        other => format!("only merged pull requests have commits in the history; it is {other}"),
    });
    let line = Line {
        looked_at: "status".to_owned(),
        text: status,
        matches: "no",
        because,
        ..line(String::new())
    };
    Ok(Some(vec![line]))
}

fn line(rule: String) -> Line {
    Line {
        of: "pull_request",
        decides: "commit".to_owned(),
        rule,
        looked_at: String::new(),
        text: String::new(),
        matches: "",
        because: String::new(),
        gives: String::new(),
    }
}

fn because(method: &str) -> &'static str {
    match method {
        it if it == Method::Ancestry.as_str() => {
            "it merged the pull request, or the commit that did added it"
        }
        it if it == Method::PatchId.as_str() => {
            "it changes what commits of the pull request change"
        }
        _ => "its subject says the number of the pull request, or it came with the one that does",
    }
}
