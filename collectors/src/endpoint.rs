//! What a stream must say to be collected.

use headwater_domain::{Scope, Stream};
use url::Url;

use crate::carried::Carried;
use crate::chosen::Chosen;
use crate::dialect::Dialect;
use crate::key::{Key, field};
use crate::list::together::Together;
use crate::refresh::Refresh;

/// Where a stream's items are and how to walk them.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// How the API is spoken.
    pub dialect: &'static Dialect,
    /// Path below the connection's endpoint; `{scope}` is the repository's full name, `{parent}`
    /// the parent's key.
    pub path: &'static str,
    /// Fixed parameters, in the order they are sent.
    pub query: &'static [(&'static str, &'static str)],
    /// Members of an item that no table reads and that can be made again, each a path such as
    /// `author.links.self`: the server is asked to leave them out, and they are not stored.
    pub left_out: &'static [&'static str],
    /// Whether the answer is a page of a list or the one item.
    pub paging: Paging,
    /// What identifies an item among its siblings.
    pub key: Key,
    /// How to ask only for what changed; none when the API cannot.
    pub since: Option<Since>,
    /// Path of the field with the time at which an item was created, where the wanted range is one of
    /// creation: older items are left out. Empty where it is not.
    pub created: &'static [&'static str],
    /// The list knows no filter but has the newest item, by `created`, in front: it is read until
    /// what is known. None where it has another order.
    pub newest_first: Option<NewestFirst>,
    /// Which items do not change any more by themselves. The others are asked for one by one, so
    /// that one that never ends holds nothing back. None where lists bring every change.
    pub ended: Option<Ended>,
    /// The list knows neither a filter nor an order, and items that have ended stay as they are: a
    /// list that is no longer than it was is not read to its end.
    pub settled: bool,
    /// Path of one item, `{item}` being its key: asked before an item is taken for deleted.
    pub item_path: Option<&'static str>,
    /// The list itself may be missing (404, 410): then the scope has none, which is no failure,
    /// and what was collected before stays.
    pub optional: bool,
    /// What can take the list away; none where nothing can. Then 403, 404 or 410 is no failure, and
    /// what was collected before stays.
    pub switch: Option<Switch>,
    /// How often the list is read.
    pub refresh: Refresh,
    /// A list that holds its items and those of others; none where there is none.
    pub together: Option<Together>,
    /// How to walk down from the head of a branch; none for other lists.
    pub commit_range: Option<CommitRange>,
    /// The text that identifies an item may be too long for a key of the database, as paths of
    /// files are: its hash is the key.
    pub long_keys: bool,
    /// Requests that are answered with a redirect before the list is reached.
    pub redirects: u64,
    /// Statuses by which the server says that a parent can have no such list: then it has none
    /// until it changes, which is no failure.
    pub incomparable: &'static [u16],
    /// What `input` of raw rows calls the parent's key, byte for byte as `DevLake` does.
    pub input: &'static str,
}

/// A switch of a repository, without which it lacks a list.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// Path of the item that tells; 404 for a switch that was never touched.
    pub path: &'static str,
    /// Where in it, as a JSON pointer, there is true while the switch is on.
    pub on: &'static str,
    /// Path of what the switch belongs to.
    pub of: &'static str,
}

/// A list of all that the head of a branch reaches: two parameters choose, the first item is the
/// head, and items name their parents by hash.
#[derive(Clone, Copy, Debug)]
pub struct CommitRange {
    /// Stream whose one item of the scope names the branch.
    pub stream: &'static str,
    /// Path of that item, where the stream was not collected.
    pub path: &'static str,
    /// Field of that item; null for a scope without commits.
    pub branch: &'static [&'static str],
    /// Parameter for a head whose commits are wanted.
    pub include: &'static str,
    /// Parameter for a head whose commits are left out.
    pub exclude: &'static str,
    /// Field of an item that lists its parents, and the field of each that is its hash.
    pub parents: (&'static str, &'static str),
    /// The list of branches: where the run has read it, nothing is asked to see whether the head
    /// moved.
    pub heads: Option<Heads>,
}

/// Where the heads of branches are shown.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// The list of branches, whose keys are their names.
    pub branches: fn() -> Collection,
    /// Field of a branch that is its head.
    pub head: &'static [&'static str],
}

/// What an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// A page of a list, as the dialect writes them.
    List,
    /// The answer is the one item.
    Single,
}

/// A filter on the time of the last change.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    /// Name of the field in the `q` parameter.
    pub field: &'static str,
}

/// How far a list with the newest item in front is read.
#[derive(Clone, Copy, Debug)]
pub struct NewestFirst {
    /// Items that were created so many hours before the last walk are read again: they may have
    /// been taken up again without a new time of creation.
    pub again_hours: i64,
}

/// Which items of a list have ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Field of the item that tells.
    pub field: &'static [&'static str],
    /// Its values for items that have ended; empty where it is enough that there is one.
    pub values: &'static [&'static str],
    /// Items that wait for something, and may for ever; none where there are no such.
    pub waiting: Option<Waiting>,
}

/// Items that change only after an item of another stream did.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Values of the field for items that wait.
    pub values: &'static [&'static str],
    /// The other stream.
    pub stream: &'static str,
    /// Field that holds the key of the other item.
    pub field: &'static [&'static str],
}

/// A stream whose items are fetched for each item of another one.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// Name of the parent stream.
    pub stream: &'static str,
    /// Field of the parent's payload that counts its children: 0 saves the request.
    pub count: Option<&'static str>,
}

/// A list of all parents' children, the latest in front, with the same items as the lists of the
/// parents: a first walk reads it instead of them, as far as it proves to be complete.
#[derive(Clone, Copy, Debug)]
pub struct BulkList {
    /// Path below the connection's endpoint; its parameters are those of the parents' lists.
    pub path: &'static str,
    /// Field of an item that is its parent's key.
    pub parent: &'static [&'static str],
    /// Fields that tell when an item came about; the first one that it has.
    pub times: &'static [&'static [&'static str]],
    /// Field of the parent with the time at which it was created: its first child is as old.
    pub created: &'static [&'static str],
    /// What the parent says of the number of its children.
    pub counted: Option<Counted>,
}

/// A number of children that their parent knows.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// Field of the parent.
    pub number: &'static [&'static str],
    /// A child with this field is one of them,
    pub with: &'static [&'static str],
    /// unless this one is true.
    pub unless: &'static [&'static str],
}

/// Collection of one stream.
pub trait Collect: Stream {
    /// Where the items are.
    const ENDPOINT: Endpoint;

    /// The stream whose items these hang on; none for a list of the scope itself.
    const PARENT: Option<Parent> = None;

    /// A list that may serve instead of the parents' lists; none where there is none.
    const BULK_LIST: Option<BulkList> = None;

    /// Where the children are besides; none where nothing carries them.
    const CARRIED: Option<Carried> = None;

    /// Which parents' lists are read, where rules want some alone; none where that is all.
    const CHOSEN: Option<Chosen> = None;
}

/// A [`Collect`] as the engine sees it.
#[derive(Clone, Debug)]
pub struct Collection {
    /// Name of the stream.
    pub stream: &'static str,
    /// What one item is.
    pub describes: &'static str,
    /// Raw table it fills.
    pub raw_table: String,
    /// True when the items are a workspace's, and not those of one of its repositories.
    pub of_workspace: bool,
    /// Where the items are.
    pub endpoint: Endpoint,
    /// Raw table of the item that names the branch; none for lists that have no heads.
    pub head_table: Option<String>,
    /// Raw table of the stream that waiting items wait for; none where items wait for nothing.
    pub leader_table: Option<String>,
    /// The stream its items hang on, and that stream's raw table.
    pub parent: Option<(Parent, String)>,
    /// The list that may serve instead of the parents' lists.
    pub bulk_list: Option<BulkList>,
    /// What carries the children besides, with the raw table of the stream that does.
    pub carried: Option<(Carried, String)>,
    /// Which parents' lists are read, with the raw table of the stream that may name them.
    pub chosen: Option<(Chosen, String)>,
}

impl Endpoint {
    /// True when a part of the list can be asked for by time: a wider range then costs only what
    /// is missing.
    #[must_use]
    pub const fn is_by_time(&self) -> bool {
        self.since.is_some() || self.newest_first.is_some()
    }

    /// The key of an item; none when it has none, or one that no database can hold.
    #[must_use]
    pub fn key_of(&self, data: &[u8]) -> Option<String> {
        if self.long_keys {
            self.key.hash_of(data)
        } else {
            self.key.of(data)
        }
    }

    /// The address with which an answer is asked for that lacks what is left out.
    ///
    /// The list's own address says nothing of it: rows are the same whether a server can leave
    /// members out or not, and whichever version of this program asked.
    pub(crate) fn asking_less(&self, url: &Url) -> Url {
        let within = match self.paging {
            Paging::List => "values.",
            Paging::Single => "",
        };
        let less: Vec<String> = self
            .left_out
            .iter()
            .map(|path| format!("-{within}{path}"))
            .collect();
        let less = less.join(",");
        let mut fields = None;
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in url.query_pairs() {
            if name == "fields" {
                fields = Some(value.into_owned());
            } else {
                parameters.push((name.into_owned(), value.into_owned()));
            }
        }
        // The address of a next page has it already, in whatever form the server gives it.
        let is_asked = |fields: &String| {
            fields
                .split(',')
                .any(|it| less.split(',').next() == Some(it))
        };
        if less.is_empty() || fields.as_ref().is_some_and(is_asked) {
            return url.clone();
        }
        let fields = fields.map_or(less.clone(), |fields| format!("{fields},{less}"));
        let mut asked = url.clone();
        asked
            .query_pairs_mut()
            .clear()
            .extend_pairs(parameters)
            .append_pair("fields", &fields);
        asked
    }
}

impl Collection {
    /// The collection of a stream.
    #[must_use]
    pub fn of<S: Collect>() -> Self {
        let table = |stream| format!("_raw_{}_api_{stream}", S::SOURCE);
        Self {
            stream: S::NAME,
            describes: S::DESCRIBES,
            raw_table: S::raw_table(),
            of_workspace: S::OF_WORKSPACE,
            endpoint: S::ENDPOINT,
            head_table: S::ENDPOINT
                .commit_range
                .map(|commit_range| table(commit_range.stream)),
            leader_table: S::ENDPOINT
                .ended
                .and_then(|ended| ended.waiting)
                .map(|waiting| table(waiting.stream)),
            parent: S::PARENT.map(|parent| (parent, table(parent.stream))),
            bulk_list: S::BULK_LIST,
            carried: S::CARRIED.map(|carried| (carried, table(carried.stream))),
            chosen: S::CHOSEN.map(|chosen| (chosen, table(chosen.stream))),
        }
    }

    /// Address of the list: what raw rows name as their `url`. Page and watermark are no part of
    /// it, so that a row is the same whenever it was found.
    ///
    /// # Errors
    /// When path and endpoint do not make a URL.
    pub fn list_url(
        &self,
        base: &Url,
        scope: &Scope,
        parent: &str,
    ) -> Result<Url, url::ParseError> {
        let url = join(base, self.endpoint.path, scope, &[("{parent}", parent)])?;
        Ok(self.asking(url))
    }

    /// Address of the list of all parents' children.
    pub(crate) fn bulk_list_url(
        &self,
        base: &Url,
        scope: &Scope,
        bulk_list: BulkList,
    ) -> Result<Url, url::ParseError> {
        Ok(self.asking(join(base, bulk_list.path, scope, &[])?))
    }

    /// With the fixed parameters of the list.
    fn asking(&self, mut url: Url) -> Url {
        if !self.endpoint.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.endpoint.query);
        }
        url
    }

    /// Address of one item; none where the API has none.
    ///
    /// # Errors
    /// When path and endpoint do not make a URL.
    pub fn item_url(
        &self,
        base: &Url,
        scope: &Scope,
        item: &str,
    ) -> Result<Option<Url>, url::ParseError> {
        let Some(path) = self.endpoint.item_path else {
            return Ok(None);
        };
        // A hostile key: as a segment of a path it would lead to the list instead.
        if matches!(item, "." | "..") {
            return Ok(None);
        }
        let mut url = join(base, path, scope, &[("{item}", item)])?;
        // The item as the list gives it: the same selection of fields, without the `values.`.
        for (name, value) in self.endpoint.query {
            if *name == "fields" {
                let value = value.replace("values.", "");
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        Ok(Some(url))
    }

    /// True when the list is read when others show that it changed, and not in each run.
    #[must_use]
    pub fn is_shown_by_others(&self) -> bool {
        let heads = self.endpoint.commit_range.and_then(|range| range.heads);
        self.endpoint.refresh.hours > 0 || heads.is_some()
    }

    /// Name of the step that fetches the lists of parents, for its checkpoint.
    #[must_use]
    pub fn children_step(&self) -> String {
        format!("children:{}", self.stream)
    }

    /// True when the item that names the branch names one.
    #[must_use]
    pub fn names_branch(&self, item: &[u8]) -> bool {
        let commit_range = self.endpoint.commit_range;
        commit_range.is_some_and(|commit_range| field(item, commit_range.branch).is_some())
    }

    /// Name of the step that notes the head whose list was read to the end.
    #[must_use]
    pub fn heads_step(&self) -> String {
        format!("heads:{}", self.stream)
    }

    /// Name of the step whose work is to ask again for items that have not ended.
    #[must_use]
    pub fn unended_step(&self) -> String {
        format!("unended:{}", self.stream)
    }

    /// Name of the step that notes how long a settled list is, for its checkpoint.
    #[must_use]
    pub fn settled_step(&self) -> String {
        format!("settled:{}", self.stream)
    }

    /// Items of a whole page; 1 where the list has no pages.
    #[must_use]
    pub fn page_length(&self) -> u64 {
        let mut parameters = self.endpoint.query.iter();
        let named = self.endpoint.dialect.pages.length();
        let length = parameters.find(|(name, _)| *name == named);
        length
            .and_then(|(_, length)| length.parse().ok())
            .unwrap_or(1)
    }

    /// Asks for the page of this number, counted from 1, of a list.
    pub(crate) fn begin_at(&self, url: &mut Url, page: u64) {
        let pages = self.endpoint.dialect.pages;
        let (parameter, place) = pages.place(page, self.page_length());
        url.query_pairs_mut()
            .append_pair(parameter, &place.to_string());
    }

    /// What an item says of its children's numbers, for the child streams that ask.
    #[must_use]
    pub fn child_counts(&self, children: &[Self], data: &[u8]) -> String {
        let fields = children
            .iter()
            .filter_map(|child| child.parent.as_ref()?.0.count);
        let counts = fields.filter_map(|name| {
            let count: u64 = field(data, &[name])?.parse().ok()?;
            Some(format!("{name}={count}"))
        });
        counts.collect::<Vec<_>>().join(",")
    }

    /// `input` of raw rows: what the request was made for, as `DevLake` writes it.
    #[must_use]
    pub fn input(&self, parent: &str) -> String {
        if self.parent.is_none() {
            return "null".to_owned();
        }
        let name = self.endpoint.input;
        match parent.parse::<i64>() {
            Ok(number) => format!(r#"{{"{name}":{number}}}"#),
            Err(_) => format!(r#"{{"{name}":{}}}"#, serde_json::Value::from(parent)),
        }
    }
}

fn join(
    base: &Url,
    path: &str,
    scope: &Scope,
    parts: &[(&str, &str)],
) -> Result<Url, url::ParseError> {
    let mut url = base.clone();
    {
        let mut segments = url
            .path_segments_mut()
            .map_err(|()| url::ParseError::RelativeUrlWithCannotBeABaseBase)?;
        segments.pop_if_empty();
        for segment in path.split('/') {
            if segment == "{scope}" {
                segments.extend(scope.full_name.split('/'));
                continue;
            }
            let filled = parts.iter().find(|(name, _)| *name == segment);
            segments.push(filled.map_or(segment, |(_, value)| value));
        }
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pull_request::PullRequests;
    use headwater_domain::tool::bitbucket::pull_request_comment::PullRequestComments;
    use headwater_domain::tool::bitbucket::repository::Repositories;

    use super::*;

    fn base(address: &str) -> Url {
        Url::parse(address).unwrap()
    }

    #[test]
    fn addresses_are_joined_below_the_endpoint_with_or_without_a_slash() {
        let scope = Scope::new(1, "acme/rocket");
        for address in ["https://api.example/2.0", "https://api.example/2.0/"] {
            let url = Collection::of::<Repositories>().list_url(&base(address), &scope, "");
            assert_eq!(
                url.unwrap().as_str(),
                "https://api.example/2.0/repositories/acme/rocket"
            );
        }
    }

    #[test]
    fn a_list_names_its_scope_its_parent_and_its_parameters() {
        let base = base("https://api.example/2.0/");
        let scope = Scope::new(1, "acme/rocket");
        let comments = Collection::of::<PullRequestComments>();
        assert_eq!(
            comments.list_url(&base, &scope, "12").unwrap().as_str(),
            "https://api.example/2.0/repositories/acme/rocket/pullrequests/12/comments?pagelen=100"
        );
        let pull_requests = Collection::of::<PullRequests>();
        assert_eq!(
            pull_requests.list_url(&base, &scope, "").unwrap().as_str(),
            "https://api.example/2.0/repositories/acme/rocket/pullrequests\
             ?state=OPEN&state=MERGED&state=DECLINED&state=SUPERSEDED&pagelen=50\
             &fields=%2Bvalues.participants%2C%2Bvalues.reviewers"
        );
        assert_eq!(
            pull_requests
                .item_url(&base, &scope, "12")
                .unwrap()
                .unwrap()
                .as_str(),
            "https://api.example/2.0/repositories/acme/rocket/pullrequests/12\
             ?fields=%2Bparticipants%2C%2Breviewers"
        );
        assert_eq!(comments.item_url(&base, &scope, "301").unwrap(), None);
    }

    #[test]
    fn less_is_asked_for_once_and_beside_what_is_asked_for_more() {
        let endpoint = |paging| Endpoint {
            left_out: &["links", "author.links.self"],
            paging,
            ..PullRequests::ENDPOINT
        };
        let (list, single) = (endpoint(Paging::List), endpoint(Paging::Single));
        for (endpoint, url, expected) in [
            (&list, "", "?fields=-values.links,-values.author.links.self"),
            (&single, "", "?fields=-links,-author.links.self"),
            (
                &list,
                "?state=OPEN&fields=%2Bvalues.reviewers&state=MERGED",
                "?state=OPEN&state=MERGED\
                 &fields=+values.reviewers,-values.links,-values.author.links.self",
            ),
        ] {
            let url = Url::parse(&format!("https://api.example/x{url}")).unwrap();
            let asked = endpoint.asking_less(&url);
            let shown = asked.as_str().replace("%2B", "+").replace("%2C", ",");
            assert_eq!(shown, format!("https://api.example/x{expected}"));
            assert_eq!(endpoint.asking_less(&asked), asked, "of a next page");
        }
        let next = Url::parse("https://api.example/x?a=%20&page=2").unwrap();
        let nothing = Endpoint {
            left_out: &[],
            ..list
        };
        assert_eq!(nothing.asking_less(&next), next);
    }

    #[test]
    fn a_hostile_key_stays_one_segment_of_the_path() {
        let base = base("https://api.example/2.0/");
        let scope = Scope::new(1, "acme/rocket");
        let pull_requests = Collection::of::<PullRequests>();
        for key in ["../../../user", "a/b?c#d", "%2e%2e", "ä ö"] {
            let url = pull_requests.item_url(&base, &scope, key).unwrap().unwrap();
            let parent = "https://api.example/2.0/repositories/acme/rocket/pullrequests/";
            assert!(url.as_str().starts_with(parent), "{key}: {url}");
            assert_eq!(url.path_segments().unwrap().count(), 6, "{key}: {url}");
        }
    }

    #[test]
    fn the_input_of_a_child_names_its_parent_as_a_number_where_it_is_one() {
        let comments = Collection::of::<PullRequestComments>();
        assert_eq!(comments.input("12"), r#"{"BitbucketId":12}"#);
        assert_eq!(comments.input(r#"a"b"#), r#"{"BitbucketId":"a\"b"}"#);
        assert_eq!(Collection::of::<PullRequests>().input(""), "null");
    }
}
