//! Reads `[[connection]]` and reports what is wrong with it.

use chrono::NaiveDate;

use super::authentication::{self, Auth};
use super::connection::{
    ANONYMOUS_REQUESTS_PER_HOUR, Connection, ConnectionKind, DEFAULT_BURST, DEFAULT_CONCURRENCY,
    DEFAULT_MAX_ANSWER_MIB, DEFAULT_RECONCILE_EVERY, DEFAULT_REQUESTS_PER_HOUR,
    DEFAULT_REQUESTS_PER_SECOND, DEFAULT_SCOPE_CONFIG, TimeoutSeconds,
};
use super::git::Git;
use super::period::DataAfter;
use super::problem::quoted;
use super::reader::{Field, TableReader, closest, listed};
use super::{addresses, git_reader, placeholders, scopes};

/// Where people put credentials by mistake, and where those belong.
const MISPLACED: [(&str, &str); 13] = [
    ("token", "auth.token"),
    ("email", "auth.email"),
    ("user", "auth.user"),
    ("username", "auth.user"),
    ("password", "auth.password"),
    ("url", "endpoint"),
    ("base_url", "endpoint"),
    ("timeout", "timeout_seconds"),
    ("repositories", "scopes"),
    ("archived", "include_archived"),
    ("exclude_archived", "include_archived"),
    ("forks", "include_forks"),
    ("exclude_forks", "include_forks"),
];

/// What was found in one `[[connection]]`, however broken the rest is.
pub(super) struct Draft {
    pub(super) id: Option<u64>,
    pub(super) name: Option<String>,
    /// Present when everything the program cannot do without is there.
    pub(super) connection: Option<Connection>,
}

/// Ids and names seen so far, and the scope configs there are.
pub(super) struct DraftsSoFar<'names> {
    pub(super) drafts: &'names [Draft],
    pub(super) scope_configs: &'names [&'names str],
}

/// Reads one `[[connection]]`.
pub(super) fn read(mut table: TableReader<'_>, known: &DraftsSoFar<'_>) -> Draft {
    let id = read_id(&mut table, known);
    let name = read_name(&mut table, known);
    let kind = read_kind(&mut table);
    let auth_field = table.field("auth");
    let auth = authentication::read(auth_field.as_ref(), kind);
    let endpoint = addresses::read_endpoint(&mut table, kind, auth.as_ref());
    let rates = read_rates(&mut table, kind, auth.as_ref());
    let concurrency = table
        .field("concurrency")
        .and_then(|field| field.integer(1..=256));
    let max_answer_mib = table
        .field("max_answer_mib")
        .and_then(|field| field.integer(1..=4096));
    let proxy = table.field("proxy").and_then(|f| addresses::read_proxy(&f));
    let ca_file = table.field("ca_file").and_then(|field| field.path());
    let timeout_seconds = read_timeouts(&mut table);
    let around = git_reader::Around {
        kind,
        endpoint: endpoint.as_ref(),
    };
    let git = git_reader::read(&mut table, &around);
    let scopes = scopes::read_connection_scopes(&mut table, kind, &git);
    placeholders::check(&mut table, auth_field.as_ref(), endpoint.as_ref());
    let include_archived = read_inclusion(&mut table, "include_archived", kind);
    let include_forks = read_inclusion(&mut table, "include_forks", kind);
    let scope_config = read_scope_config(&mut table, known);
    let data_after = read_range(&mut table, kind);
    let reconcile_every = table
        .field("reconcile_every")
        .and_then(|field| field.parsed());
    let token_expires = table.field("token_expires").and_then(|f| read_date(&f));
    table.finish_with(&MISPLACED);
    let connection = assemble(id, name.clone(), kind, auth).map(|parts| Connection {
        endpoint,
        requests_per_hour: rates.per_hour,
        requests_per_second: rates.per_second,
        burst: rates.burst,
        concurrency: concurrency.unwrap_or(DEFAULT_CONCURRENCY),
        max_answer_mib: max_answer_mib.unwrap_or(DEFAULT_MAX_ANSWER_MIB),
        proxy,
        ca_file,
        timeout_seconds,
        scopes,
        include_archived,
        include_forks,
        scope_config: scope_config.unwrap_or_else(|| DEFAULT_SCOPE_CONFIG.to_owned()),
        data_after,
        reconcile_every: reconcile_every.unwrap_or(DEFAULT_RECONCILE_EVERY),
        token_expires,
        git,
        ..parts
    });
    Draft {
        id,
        name,
        connection,
    }
}

fn read_date(field: &Field<'_>) -> Option<NaiveDate> {
    let text = field.text()?;
    let date = text.parse().ok();
    if date.is_none() {
        let problem = field.error(format!("{} is not a date", quoted(text)));
        field.report(problem.expecting("a day such as \"2027-01-31\""));
    }
    date
}

/// A connection of the four keys that have no default; the rest is filled in by the caller.
fn assemble(
    id: Option<u64>,
    name: Option<String>,
    kind: Option<ConnectionKind>,
    auth: Option<Auth>,
) -> Option<Connection> {
    Some(Connection {
        id: id?,
        name: name?,
        kind: kind?,
        auth: auth?,
        endpoint: None,
        requests_per_hour: DEFAULT_REQUESTS_PER_HOUR,
        requests_per_second: DEFAULT_REQUESTS_PER_SECOND,
        burst: DEFAULT_BURST,
        concurrency: DEFAULT_CONCURRENCY,
        max_answer_mib: DEFAULT_MAX_ANSWER_MIB,
        proxy: None,
        ca_file: None,
        timeout_seconds: TimeoutSeconds::DEFAULT,
        scopes: Vec::new(),
        include_archived: true,
        include_forks: true,
        scope_config: String::new(),
        data_after: None,
        reconcile_every: DEFAULT_RECONCILE_EVERY,
        token_expires: None,
        git: Git::default(),
    })
}

fn read_id(table: &mut TableReader<'_>, known: &DraftsSoFar<'_>) -> Option<u64> {
    let field = table.required("id", "1")?;
    let largest = u64::try_from(i64::MAX).unwrap_or(u64::MAX);
    let id = field.integer(1..=largest)?;
    if known.drafts.iter().any(|draft| draft.id == Some(id)) {
        let free = known.drafts.iter().filter_map(|draft| draft.id).max();
        let problem = field
            .error(format!("{id} is the id of an earlier connection"))
            .write(format!("id = {}", free.unwrap_or(id).saturating_add(1)));
        field.report(problem);
    }
    Some(id)
}

fn read_name(table: &mut TableReader<'_>, known: &DraftsSoFar<'_>) -> Option<String> {
    let field = table.required("name", "\"my-team\"")?;
    let name = field.text()?;
    let sound = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character));
    if !sound {
        let problem = field.error(format!("{} is not a name", quoted(name)));
        field.report(problem.expecting("letters, digits, `-`, `_` and `.`, without spaces"));
    }
    let taken = known
        .drafts
        .iter()
        .any(|draft| draft.name.as_deref() == Some(name));
    if taken {
        let message = format!("{} is the name of an earlier connection", quoted(name));
        field.report(field.error(message).expecting("a name of its own"));
    }
    Some(name.to_owned())
}

fn read_kind(table: &mut TableReader<'_>) -> Option<ConnectionKind> {
    let field = table.required("kind", "\"bitbucket-cloud\"")?;
    let text = field.text()?;
    let kind = ConnectionKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text);
    if kind.is_none() {
        let names = ConnectionKind::ALL.map(ConnectionKind::as_str);
        let meant = match text {
            "bitbucket-server" | "bitbucket_server" | "server" | "stash" => names[1],
            _ => closest(text, &names).unwrap_or(names[0]),
        };
        let problem = match unsupported(text) {
            Some((product, instead)) => field
                .error(format!(
                    "{product} is not supported; its git repositories are"
                ))
                .write(instead),
            None => field
                .error(format!("{} is not a kind of connection", quoted(text)))
                .write(format!("kind = \"{meant}\"")),
        };
        field.report(problem.expecting(format!("one of {}", listed(&names))));
    }
    kind
}

/// A product that people ask for, and how its repositories are read all the same.
fn unsupported(kind: &str) -> Option<(&'static str, &'static str)> {
    let product = match kind.to_lowercase().split(['-', '_', '.']).next()? {
        "github" => "GitHub",
        "gitlab" => "GitLab",
        "gitea" => "Gitea",
        "forgejo" => "Forgejo",
        "azure" | "azuredevops" => "Azure DevOps",
        "gerrit" => "Gerrit",
        "jira" => "Jira",
        "jenkins" => "Jenkins",
        _ => return None,
    };
    Some((product, "kind = \"git\""))
}

struct Rates {
    per_hour: u32,
    per_second: u32,
    burst: u32,
}

fn read_rates(
    table: &mut TableReader<'_>,
    kind: Option<ConnectionKind>,
    auth: Option<&Auth>,
) -> Rates {
    let cloud = ConnectionKind::BitbucketCloud;
    let data_center = ConnectionKind::BitbucketDataCenter;
    let mut rate = |name, largest, owner: ConnectionKind| {
        let field: Field<'_> = table.field(name)?;
        if let Some(kind) = kind
            && kind != owner
        {
            let problem = field
                .error(format!("has no effect with kind \"{}\"", kind.as_str()))
                .expecting(format!("it only with kind \"{}\"", owner.as_str()));
            field.report(problem);
        }
        field.integer(1..=largest)
    };
    let anonymous = auth.is_some_and(Auth::is_none);
    let default_per_hour = if anonymous {
        ANONYMOUS_REQUESTS_PER_HOUR
    } else {
        DEFAULT_REQUESTS_PER_HOUR
    };
    Rates {
        per_hour: rate("requests_per_hour", 1_000_000_000, cloud).unwrap_or(default_per_hour),
        per_second: rate("requests_per_second", 10_000, data_center)
            .unwrap_or(DEFAULT_REQUESTS_PER_SECOND),
        burst: rate("burst", 100_000, data_center).unwrap_or(DEFAULT_BURST),
    }
}

fn read_timeouts(table: &mut TableReader<'_>) -> TimeoutSeconds {
    let default = TimeoutSeconds::DEFAULT;
    let field = table.field("timeout_seconds");
    let Some((field, mut table)) = field.and_then(|field| Some((field.clone(), field.table()?)))
    else {
        return default;
    };
    let mut seconds = |name| {
        let field: Field<'_> = table.field(name)?;
        field.integer(1..=3600)
    };
    let timeouts = TimeoutSeconds {
        connect: seconds("connect").unwrap_or(default.connect),
        read: seconds("read").unwrap_or(default.read),
        total: seconds("total").unwrap_or(default.total),
    };
    table.finish();
    if timeouts.connect > timeouts.total || timeouts.read > timeouts.total {
        let message = "total is shorter than connect or read, which therefore never take effect";
        field.report(field.warning(message));
    }
    timeouts
}

/// Reads whether globs stand for repositories of some kind; they do unless the file says no.
fn read_inclusion(
    table: &mut TableReader<'_>,
    name: &'static str,
    kind: Option<ConnectionKind>,
) -> bool {
    let Some(field) = table.field(name) else {
        return true;
    };
    if kind == Some(ConnectionKind::Git) {
        let problem = field.error("has no effect with kind \"git\"");
        field.report(problem.expecting("the repositories under `git.urls`"));
    }
    field.boolean().unwrap_or(true)
}

/// The commit graph is never cut, so a range has nothing to bound where there is only git.
fn read_range(table: &mut TableReader<'_>, kind: Option<ConnectionKind>) -> Option<DataAfter> {
    let field = table.field("data_after")?;
    if kind == Some(ConnectionKind::Git) {
        field.report(field.warning("has no effect with kind \"git\": history is never cut"));
    }
    field.range()
}

fn read_scope_config(table: &mut TableReader<'_>, known: &DraftsSoFar<'_>) -> Option<String> {
    let field = table.field("scope_config")?;
    let name = field.text()?;
    if name != DEFAULT_SCOPE_CONFIG && !known.scope_configs.contains(&name) {
        let mut names = known.scope_configs.to_vec();
        if !names.contains(&DEFAULT_SCOPE_CONFIG) {
            names.push(DEFAULT_SCOPE_CONFIG);
        }
        let meant = closest(name, &names).unwrap_or(DEFAULT_SCOPE_CONFIG);
        let problem = field
            .error(format!("there is no scope config {}", quoted(name)))
            .expecting(format!("one of {}", listed(&names)))
            .write(format!("scope_config = \"{meant}\""));
        field.report(problem);
    }
    Some(name.to_owned())
}
