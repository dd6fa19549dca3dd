//! Which endpoints there are, and which of them the description says something about.

use std::collections::BTreeMap;
use std::path::Path;

use headwater::sources::bitbucket::bitbucket;
use serde_json::Value;

use crate::Failure;

/// The path of an endpoint, such as `/repositories/{workspace}/{repo_slug}/pullrequests`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(pub(crate) String);

impl Template {
    fn of(path: &str) -> Self {
        let path = path.replace("{scope}", "{workspace}/{repo_slug}");
        // The front takes away what follows the last name, too.
        let path = path.trim_end_matches('/');
        Self(format!("/{path}"))
    }

    /// True when the path is one of this endpoint's.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let (mut own, mut other) = (self.0.split('/'), path.split('/'));
        loop {
            match (own.next(), other.next()) {
                (None, None) => return true,
                (Some(own), Some(other)) if own == other || is_parameter(own) => {}
                _ => return false,
            }
        }
    }

    /// How many of these requests were for this endpoint.
    pub(crate) fn count(&self, requests: &BTreeMap<String, usize>) -> usize {
        let of_this = requests.iter().filter(|(path, _)| self.matches(path));
        of_this.map(|(_, count)| count).sum()
    }

    /// The description of a successful answer; none where Atlassian gives none.
    pub(crate) fn schema<'a>(&self, description: &'a Value) -> Option<&'a Value> {
        let paths = description.get("paths")?.as_object()?;
        let same = |known: &str| {
            let (mut own, mut known) = (self.0.split('/'), known.split('/'));
            loop {
                match (own.next(), known.next()) {
                    (None, None) => return true,
                    (Some(own), Some(known))
                        if own == known || (is_parameter(own) && is_parameter(known)) => {}
                    _ => return false,
                }
            }
        };
        let (_, path) = paths.iter().find(|(known, _)| same(known))?;
        path.pointer("/get/responses/200/content/application~1json/schema")
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

/// Where the server leads from the list of a pull request's files.
const DIFFSTAT: &str = "repositories/{scope}/diffstat/{item}";

/// Every endpoint that headwater asks in a sync: of each stream its list and, where it has one,
/// its single item, the list of a workspace, and where lists lead by a redirect. Trackers are left
/// out.
pub(crate) fn endpoints() -> Vec<Template> {
    let mut endpoints = vec![
        Template::of("repositories/{workspace}"),
        Template::of(DIFFSTAT),
    ];
    for stream in bitbucket().streams {
        let endpoint = stream.collection.endpoint;
        let of_workspace = stream.collection.of_workspace;
        let template = |path: &str| {
            if of_workspace {
                Template::of(&path.replace("{scope}", "{workspace}"))
            } else {
                Template::of(path)
            }
        };
        endpoints.push(template(endpoint.path));
        endpoints.extend(endpoint.item_path.map(template));
    }
    endpoints.retain(|endpoint| !is_of_tracker(&endpoint.0));
    endpoints
}

/// True for the path of a tracker's list: the description knows them no longer, since Atlassian
/// removed them.
pub(crate) fn is_of_tracker(path: &str) -> bool {
    path.starts_with("/repositories/") && path.split('/').nth(4) == Some("issues")
}

/// True for the path of a list that is at another address, where the server leads.
pub(crate) fn leads_elsewhere(path: &str) -> bool {
    let streams = bitbucket().streams.into_iter();
    let mut lists = streams.map(|stream| stream.collection.endpoint);
    lists.any(|endpoint| endpoint.redirects > 0 && Template::of(endpoint.path).matches(path))
}

/// Reads the description.
pub(crate) fn read(file: &Path) -> Result<Value, Failure> {
    let text = std::fs::read(file);
    let text = text.map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    Ok(serde_json::from_slice(&text)?)
}
