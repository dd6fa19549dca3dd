//! Broken files, and what is said about each.

use super::{parse, summary};

/// A secret that is in many of the files and in none of the messages.
const SECRET: &str = "hunter2secret";

struct Broken {
    text: &'static str,
    place: (usize, usize),
    key: &'static str,
    says: &'static str,
}

const fn broken(
    text: &'static str,
    place: (usize, usize),
    key: &'static str,
    says: &'static str,
) -> Broken {
    Broken {
        text,
        place,
        key,
        says,
    }
}

/// Stands for the lines every connection needs, so that each case shows only what is wrong.
const CLOUD: &str = "[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\n\
                     scopes = [\"acme/*\"]\n";

/// The same for a connection without an API.
const GIT: &str = "[[connection]]\nid = 1\nname = \"a\"\nkind = \"git\"\n";

#[rustfmt::skip]
const FILES: &[Broken] = &[
    // The file as a whole.
    broken("[database\nurl = 1", (1, 10), "", "nothing else can be checked"),
    broken("a = 1\na = 2", (2, 1), "", "not valid TOML: `a` is written twice"),
    broken("token = \"hunter2secret\npassword = 1", (1, 23), "", "not valid TOML"),
    broken("[databse]\nurl = \"x\"", (1, 2), "databse", "did you mean `database`"),
    broken("[[connections]]\nid = 1", (1, 3), "connections", "did you mean `connection`"),
    broken("[connection]\nid = 1", (1, 1), "connection", "write: [[connection]]"),
    broken("database = 3", (1, 12), "database", "an integer cannot be used here; expected a table"),
    // The database.
    broken("[database]\nurl = \"sqlite::memory:\"", (2, 7), "database.url", "lost at the end"),
    broken("[database]\nurl = \"postgres://u:hunter2secret@/\"", (2, 7), "database.url", "not the address of a database"),
    broken("[database]\nurl = \"oracle://u:hunter2secret@h/d\"", (2, 7), "database.url", "expected `sqlite:PATH`"),
    broken("[database]\nurl = \"mysql://u:hunter2secret@h\"", (2, 7), "database.url", "no name of a database"),
    broken("[database]\nurl = \"env:hunter2secret is\"", (2, 7), "database.url", "not followed by the name"),
    broken("[database]\nurl = \"sqlite:a?mode=rwc\"", (2, 7), "database.url", "options after `?`"),
    // Connections.
    broken("[[connection]]\nname = \"a\"\nkind = \"git\"", (1, 1), "connection[0].id", "is missing; write: id = 1"),
    broken("[[connection]]\nid = 0", (2, 6), "connection[0].id", "0 is out of range; expected a number from 1"),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\nscopes = [\"é/*\", \"b\"]", (5, 18), "connection[0].scopes[1]", "write: \"b/*\""),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\nscopes = [\"ATATThunter2secret\"]", (5, 11), "connection[0].scopes[0]", "not shown"),
    broken("CLOUD[[connection]]\nid = 1\nname = \"b\"\nkind = \"git\"", (7, 6), "connection[1].id", "write: id = 2"),
    broken("CLOUD[[connection]]\nid = 2\nname = \"a\"\nkind = \"git\"", (8, 8), "connection[1].name", "is the name of an earlier connection"),
    broken("[[connection]]\nid = 1\nname = \"a b\"", (3, 8), "connection[0].name", "is not a name"),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-server\"", (4, 8), "connection[0].kind", "write: kind = \"bitbucket-data-center\""),
    broken("[[connection]]\nid = \"one\"", (2, 6), "connection[0].id", "a text cannot be used here; expected an integer"),
    broken("CLOUDauth.kind = \"token\"", (6, 13), "connection[0].auth.kind", "\"token\" is not a kind of authentication; expected one of api-token, access-token, oauth, basic, none; write: auth.kind = \"api-token\""),
    broken("CLOUDauth.token = \"hunter2secret\"", (6, 1), "connection[0].auth.kind", "is missing"),
    broken("CLOUDauth.kind = \"api-token\"\nauth.token = \"env:X\"", (6, 1), "connection[0].auth.email", "is missing"),
    broken("CLOUDauth.kind = \"oauth\"\nauth.key = \"k\"\nauth.secret = 5", (8, 15), "connection[0].auth.secret", "an integer cannot be used"),
    broken("CLOUDauth = { kind = \"oauth\", key = \"k\", secret = \"env:S\", token_url = \"bitbucket.org/site\" }", (6, 67), "connection[0].auth.token_url", "is not an address; expected an address that starts with https://"),
    broken("CLOUDauth = { kind = \"oauth\", key = \"k\", secret = \"env:S\", token_url = \"https://k:hunter2secret@h/t\" }", (6, 67), "connection[0].auth.token_url", "carries a user name or password"),
    broken("CLOUDauth = { kind = \"access-token\", token = \"env:T\", token_url = \"https://h/t\" }", (6, 62), "connection[0].auth.token_url", "expected it with oauth"),
    broken("CLOUDauth = { kind = \"none\", token = \"hunter2secret\" }", (6, 33), "connection[0].auth.token", "does not belong to auth.kind = \"none\""),
    broken("CLOUDauth = { kind = \"access-token\", token = \"${hunter2secret}\" }", (6, 41), "connection[0].auth.token", "not written with ${}"),
    broken("CLOUDauth = { kind = \"access-token\", token = \"\" }", (6, 41), "connection[0].auth.token", "is empty"),
    broken("CLOUDtoken = \"hunter2secret\"", (6, 1), "connection[0].token", "did you mean `auth.token`"),
    broken("CLOUDconcurency = 3", (6, 1), "connection[0].concurency", "did you mean `concurrency`"),
    broken("CLOUDconcurrency = 0", (6, 15), "connection[0].concurrency", "expected a number from 1 to 256"),
    broken("CLOUDburst = 5", (6, 9), "connection[0].burst", "no effect with kind \"bitbucket-cloud\""),
    broken("CLOUDendpoint = \"api.bitbucket.org\"", (6, 12), "connection[0].endpoint", "is not an address"),
    broken("CLOUDendpoint = \"https://bitbucket.org/acme\"", (6, 12), "connection[0].endpoint", "write: endpoint = \"https://api.bitbucket.org/2.0/\""),
    broken("CLOUDendpoint = \"https://me:hunter2secret@api.bitbucket.org/2.0/\"", (6, 12), "connection[0].endpoint", "carries a user name or password"),
    broken("CLOUDproxy = \"http://me:hunter2secret@proxy:3128\"", (6, 9), "connection[0].proxy", "write: proxy = \"env:NAME\""),
    broken("CLOUDproxy = \"ftp://proxy\"", (6, 9), "connection[0].proxy", "expected an address that starts with http:// or"),
    broken("CLOUDtimeout_seconds = { conect = 1 }", (6, 21), "connection[0].timeout_seconds.conect", "did you mean `connect`"),
    broken("CLOUDinclude_forks = \"no\"", (6, 17), "connection[0].include_forks", "expected true or false"),
    broken("CLOUDinclude_archived = 0", (6, 20), "connection[0].include_archived", "expected true or false"),
    broken("CLOUDexclude_forks = true", (6, 1), "connection[0].exclude_forks", "did you mean `include_forks`"),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"git\"\ninclude_forks = false", (5, 17), "connection[0].include_forks", "no effect with kind"),
    broken("CLOUDscope_config = \"strict\"", (6, 16), "connection[0].scope_config", "there is no scope config \"strict\""),
    broken("CLOUDdata_after = \"6 fortnights\"", (6, 14), "connection[0].data_after", "unknown unit"),
    broken("CLOUDdata_after = \"2026-02-30\"", (6, 14), "connection[0].data_after", "not a date that exists"),
    broken("CLOUDreconcile_every = \"weekly\"", (6, 19), "connection[0].reconcile_every", "is not a period such as"),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-data-center\"\nscopes = [\"KEY/slug\"]", (5, 11), "connection[0].scopes[0]", "write: \"KEY/repos/slug\""),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-data-center\"", (1, 1), "connection[0].endpoint", "is missing"),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\nscopes = [\"acme/x\", \"acme\"]", (5, 21), "connection[0].scopes[1]", "write: \"acme/*\""),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\nscopes = [\"acme/[x\"]", (5, 11), "connection[0].scopes[0]", "not a valid glob"),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\nscopes = [\"*/x\"]", (5, 11), "connection[0].scopes[0]", "no list across workspaces"),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\nscopes = [\"https://me:hunter2secret@bitbucket.org/a/b\"]", (5, 11), "connection[0].scopes[0]", "is an address"),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"git\"\ngit.urls.\"a/b\" = \"https://hunter2secret@h/b.git\"", (5, 18), "connection[0].git.urls.\"a/b\"", "carries a user name"),
    // Git.
    broken("PLAINgit.urls.\"t/w\" = \"/srv/../etc/w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "a part `..`"),
    broken("PLAINgit.urls.\"t/w\" = \"https://h/a/%2e%2e/w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "a part `..`"),
    broken("PLAINgit.urls.\"t/w\" = \"srv/w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "a path from the root"),
    broken("PLAINgit.urls.\"t/w\" = \"ssh://-oProxyCommand=x/w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "characters that names of hosts do not have"),
    broken("PLAINgit.urls.\"t/w\" = \"-oProxyCommand=x:w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "begins with a dash"),
    broken("PLAINgit.urls.\"t/w\" = \"http://git.example/w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "on this machine only"),
    broken("PLAINgit.urls.\"t/w\" = \"https://git.example/\"", (5, 18), "connection[0].git.urls.\"t/w\"", "a server and no repository"),
    broken("PLAINgit.urls.\"t/w\" = \"fd::17\"", (5, 18), "connection[0].git.urls.\"t/w\"", "transport helper"),
    broken("PLAINgit.urls.\"t/w\" = \"-upload-pack=x\"", (5, 18), "connection[0].git.urls.\"t/w\"", "begins with a dash"),
    broken("PLAINgit.urls.\"t/w\" = \"--upload-pack=touch /tmp/x\"", (5, 18), "connection[0].git.urls.\"t/w\"", "begins with a dash"),
    broken("PLAINgit.urls.\"t/w\" = \"ext::sh -c true\"", (5, 18), "connection[0].git.urls.\"t/w\"", "transport helper"),
    broken("PLAINgit.urls.\"t/w\" = \"file:///srv/git/w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "a path from the root instead of a file:// URL"),
    broken("PLAINgit.urls.\"t/w\" = \"git://h/w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "use https:// or ssh://"),
    broken("PLAINgit.urls.\"t/w\" = \"ftp://h/w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "only https://, ssh://, user@host:path and paths are used"),
    broken("PLAINgit.urls.\"t/w\" = \"https://h/w\\nx.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "control characters"),
    broken("PLAINgit.urls.\"t/w\" = \"\"", (5, 18), "connection[0].git.urls.\"t/w\"", "it is empty"),
    broken("PLAINgit.urls.\"t/w\" = \"https://u:hunter2secret@h/w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "carries a user name"),
    broken("PLAINgit.urls.\"t/w\" = \"ssh://git:hunter2secret@h/w.git\"", (5, 18), "connection[0].git.urls.\"t/w\"", "carries a user name"),
    broken("PLAINgit.urls = { \"../w\" = \"/srv/w.git\" }", (5, 23), "connection[0].git.urls.\"../w\"", "`.` or `..`"),
    broken("PLAINgit.urls = { \"t/..\" = \"/srv/w.git\" }", (5, 23), "connection[0].git.urls.\"t/..\"", "`.` or `..`"),
    broken("PLAINgit.urls = { \"/srv/w\" = \"/srv/w.git\" }", (5, 25), "connection[0].git.urls.\"/srv/w\"", "empty part"),
    broken("PLAINgit.urls = { \"t//w\" = \"/srv/w.git\" }", (5, 23), "connection[0].git.urls.\"t//w\"", "empty part"),
    broken("PLAINgit.urls = { \"t/-w\" = \"/srv/w.git\" }", (5, 23), "connection[0].git.urls.\"t/-w\"", "starts with a dash"),
    broken("PLAINgit.urls = { \"--x/w\" = \"/srv/w.git\" }", (5, 24), "connection[0].git.urls.\"--x/w\"", "starts with a dash"),
    broken("PLAINgit.urls = { \"widget\" = \"/srv/w.git\" }", (5, 25), "connection[0].git.urls.widget", "group and a repository"),
    broken("PLAINgit.urls = { \"t/w\\nx\" = \"/srv/w.git\" }", (5, 25), "connection[0].git.urls.\"t/w\\nx\"", "names of repositories do not have"),
    broken("PLAINgit.urls = { \"t/w x\" = \"/srv/w.git\" }", (5, 24), "connection[0].git.urls.\"t/w x\"", "names of repositories do not have"),
    broken("PLAINgit.urls = { \"t/w:x\" = \"/srv/w.git\" }", (5, 24), "connection[0].git.urls.\"t/w:x\"", "names of repositories do not have"),
    broken("PLAINgit.urls = { \"t/*\" = \"/srv/w.git\" }", (5, 22), "connection[0].git.urls.\"t/*\"", "names of repositories do not have"),
    broken("PLAINscopes = [\"t/w\"]\ngit.urls = { \"t/x\" = \"/srv/x\" }", (5, 11), "connection[0].scopes[0]", "has no entry in git.urls; write: git.urls = { \"t/w\" ="),
    broken("PLAINscopes = [\"t/*\"]\ngit.urls = { \"t/x\" = \"/srv/x\" }", (5, 11), "connection[0].scopes[0]", "is a glob, and git has no list"),
    broken("PLAINgit.enabled = true", (5, 15), "connection[0].git.enabled", "no effect with kind"),
    broken("PLAINauth = { kind = \"oauth\", key = \"k\", secret = \"env:S\" }", (5, 17), "connection[0].auth.kind", "does not work with git"),
    broken("CLOUDgit.urls = { \"t/w\" = \"/srv/w.git\" }", (6, 12), "connection[0].git.urls", "no effect with this kind"),
    broken("CLOUDgit.url = \"https://bitbucket.org/w.git\"", (6, 11), "connection[0].git.url", "does not have {scope} exactly once"),
    broken("CLOUDgit.url = \"https://{scope}.example/\"", (6, 11), "connection[0].git.url", "not an address of one host"),
    broken("CLOUDgit.url = \"https://h{scope}.git\"", (6, 11), "connection[0].git.url", "not an address of one host"),
    broken("CLOUDgit.url = \"/srv/{scope}.git\"", (6, 11), "connection[0].git.url", "not an address of one host"),
    broken("CLOUDgit.url = \"ext::{scope}\"", (6, 11), "connection[0].git.url", "not an address of one host"),
    broken("CLOUDgit.url = \"https://u:hunter2secret@h/{scope}.git\"", (6, 11), "connection[0].git.url", "carries a user name"),
    broken("CLOUDgit.enabled = \"yes\"", (6, 15), "connection[0].git.enabled", "true or false"),
    broken("CLOUDendpoint = \"https://api.example/2.0/\"\ngit.enabled = true", (7, 1), "connection[0].git", "does not tell where git is served; write: git.url"),
    broken("[git]\nquota = \"20\"", (2, 9), "git.quota", "not an amount of disk space"),
    broken("[git]\nquota = 20", (2, 9), "git.quota", "an integer cannot be used here"),
    broken("[git]\nprogram = \"-c\"", (2, 11), "git.program", "is not a program"),
    broken("[git]\nfolders = \"x\"", (2, 1), "git.folders", "did you mean `folder`"),
    broken("[scope_config.x]\ntag_pairs = [[\"v1\"]]", (2, 14), "scope_config.x.tag_pairs[0]", "has 1 names; expected two names"),
    broken("[scope_config.x]\ntag_pairs = [[\"v1\", \"v1\"]]", (2, 14), "scope_config.x.tag_pairs[0]", "with itself"),
    broken("[scope_config.x]\ntag_prefixes = [\"\"]", (2, 17), "scope_config.x.tag_prefixes[0]", "not a name of a tag"),
    broken("[scope_config.x]\nline_counts = 1", (2, 15), "scope_config.x.line_counts", "expected true or false"),
    // Scope configs.
    broken("[scope_config.default]\nentities = [\"code\", \"pipelines\"]", (2, 21), "scope_config.default.entities[1]", "is not an entity; expected one of code"),
    broken("[scope_config.default]\ndeployment_pattern = \"(deploy\"", (2, 22), "scope_config.default.deployment_pattern", "not a regular expression: unclosed group"),
    broken("[scope_config.x]\ntags_order = \"reverse-semver\"", (2, 14), "scope_config.x.tags_order", "write: \"reverse semver\""),
    broken("[scope_config.x]\ntags_limit = -1", (2, 14), "scope_config.x.tags_limit", "-1 is out of range"),
    broken("[scope_config.x.issue_status]\ntodo = [\"new\"]\ndone = [\" NEW \"]", (3, 9), "scope_config.x.issue_status.done[0]", "\"new\" is in `todo` too"),
    broken("[scope_config.x.issue_type]\nBUG = [\"bug\"]\nINCIDENT = [\"Bug\"]", (3, 13), "scope_config.x.issue_type.INCIDENT[0]", "is in `BUG` too"),
    broken("[scope_config.x.environments]\n\"prod-[\" = \"PRODUCTION\"", (2, 12), "scope_config.x.environments.\"prod-[\"", "not a valid glob"),
    broken("[scope_config.x.environments]\nlive = \"production\"", (2, 8), "scope_config.x.environments.live", "write: \"PRODUCTION\""),
    // Periods and addresses.
    broken("CLOUDdata_after = \"6m\"", (6, 14), "connection[0].data_after", "write \"6 months\""),
    broken("CLOUDreconcile_every = \"7d\"", (6, 19), "connection[0].reconcile_every", "write \"7 days\""),
    broken("CLOUDauth = { kind = \"api-token\", email = \"ada\", token = \"env:T\" }", (6, 38), "connection[0].auth.email", "is no e-mail address"),
    broken("CLOUDauth = { kind = \"api-token\", email = \"me@example.com\", token = \"env:T\" }", (6, 38), "connection[0].auth.email", "still the example"),
    broken("CLOUDauth = { kind = \"access-token\", token = \"$BITBUCKET_TOKEN\" }", (6, 41), "connection[0].auth.token", "write: token = \"env:BITBUCKET_TOKEN\""),
    broken("[[connection]]\nid = 1\nname = \"a\"\nkind = \"github\"", (4, 8), "connection[0].kind", "GitHub is not supported"),
    broken("[[connection]]\nid = 1\nname = \"a\"\nname = \"b\"", (4, 1), "", "`name` is written twice"),
    // Projects.
    broken("CLOUD[[project]]\nname = \"p\"", (6, 1), "project[0].scopes", "is missing"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = [\"acme/x\"]", (8, 11), "project[0].scopes[0]", "write: \"a:acme/x\""),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = [\"b:acme/x\"]", (8, 11), "project[0].scopes[0]", "there is no connection \"b\"; expected one of a"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = [\"a:acme/x\"]\n[[project]]\nname = \"p\"\nscopes = [\"a:acme/y\"]", (10, 8), "project[1].name", "is the name of an earlier project"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nschedule = \"every day\"", (9, 12), "project[0].schedule", "does not have 5 fields"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\ntimezone = \"Europe/Berln\"", (9, 12), "project[0].timezone", "write: timezone = \"Europe/Berlin\""),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nskip_failed = \"yes\"", (9, 15), "project[0].skip_failed", "expected true or false"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nweek_start = \"mondy\"", (9, 14), "project[0].week_start", "write: \"monday\""),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nfailure_sources = [\"incidents\"]", (9, 20), "project[0].failure_sources[0]", "write: \"incident\""),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nrework_sources = [\"failed_deployment\"]", (9, 19), "project[0].rework_sources[0]", "is not a source"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nfailure_sources = []", (9, 19), "project[0].failure_sources", "is empty: the rate would be 0 % whatever happens; expected at least one of incident, failed_deployment"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nrework_sources = []", (9, 18), "project[0].rework_sources", "is empty"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nhotfix_title_pattern = \".*\"", (9, 24), "project[0].hotfix_title_pattern", "\".*\" matches everything; expected what only hotfixes have"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nrevert_title_pattern = \"(?<title>.*)\"", (9, 24), "project[0].revert_title_pattern", "matches everything; expected what only reverts have"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nrevert_branch_pattern = \"^undo\"", (9, 25), "project[0].revert_branch_pattern", "does not say what is reverted; expected a group (?<number>...)"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nrevert_message_pattern = \"backs out (?<title>.*)\"", (9, 26), "project[0].revert_message_pattern", "expected a group (?<hash>...)"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nincident_window = \"1 month\"", (9, 19), "project[0].incident_window", "is no fixed time"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nhotfix_branch_pattern = \"(\"", (9, 25), "project[0].hotfix_branch_pattern", "is not a regular expression"),
    broken("CLOUD[[project]]\nname = \"p\"\nscopes = []\nproduction_environments = [\"\"]", (9, 28), "project[0].production_environments[0]", "is empty"),
];

#[test]
fn every_broken_file_is_refused_at_its_place_with_advice() {
    let mut misses = Vec::new();
    for case in FILES {
        let text = case
            .text
            .replacen("CLOUD", CLOUD, 1)
            .replacen("PLAIN", GIT, 1);
        let (config, problems) = parse(&text, "headwater.toml");
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let found = problems.iter().zip(&shown).any(|(problem, shown)| {
            problem.is_error()
                && (problem.line, problem.column) == case.place
                && problem.key == case.key
                && shown.contains(case.says)
        });
        if config.is_some() || !found {
            let (place, key, says) = (case.place, case.key, case.says);
            let listing = shown.join("\n");
            misses.push(format!(
                "{place:?} {key} {says}\nin\n{text}\nsaid\n{listing}"
            ));
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n\n"));
}

#[test]
fn no_problem_repeats_a_secret() {
    for case in FILES {
        let text = case
            .text
            .replacen("CLOUD", CLOUD, 1)
            .replacen("PLAIN", GIT, 1);
        let (_, problems) = parse(&text, "headwater.toml");
        let shown = format!("{problems:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn everything_wrong_is_reported_at_once_in_the_order_of_the_file() {
    let text = "[database]\nurl = 1\n[[connection]]\nid = 0\nnam = \"x\"\nkind = \"github\"\n\
                [[project]]\nname = \"\"\nscopes = [\"x:a/b\"]\nlater = 1\n[extra]";
    let (_, problems) = parse(text, "headwater.toml");
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 8, 9, 10, 11]);
    assert_eq!(
        summary("headwater.toml", &problems),
        "headwater.toml: 9 errors"
    );
}

#[test]
fn a_problem_reads_like_a_message_of_a_compiler() {
    let text = CLOUD.to_owned() + "auth.kind = \"token\"";
    let (_, problems) = parse(&text, "headwater.toml");
    assert_eq!(
        problems[0].to_string(),
        "headwater.toml:6:13: error: connection[0].auth.kind: \"token\" is not a kind of \
         authentication; expected one of api-token, access-token, oauth, basic, none; \
         write: auth.kind = \"api-token\""
    );
}

#[test]
fn what_is_odd_but_usable_is_a_warning() {
    let cases = [
        (
            "auth = { kind = \"access-token\", token = \"hunter2secret\" }",
            "in plain text",
        ),
        (
            "auth = { kind = \"basic\", user = \"me\", password = \"env:X\" }",
            "removed app passwords",
        ),
        ("timeout_seconds = { read = 300 }", "total is shorter"),
        (
            "auth = { kind = \"access-token\", token = \"env:X\" }\nendpoint = \"http://proxy.example/2.0\"",
            "unencrypted",
        ),
        (
            "[[project]]\nname = \"p\"\nscopes = [\"a:beta/x\"]",
            "does not collect",
        ),
        (
            "[scope_config.default]\ndeployment_pattern = \".*\"",
            "every build counts as a deployment",
        ),
    ];
    for (lines, says) in cases {
        let (config, problems) = parse(&format!("{CLOUD}{lines}\n"), "headwater.toml");
        assert!(config.is_some() && problems.len() == 1, "{problems:?}");
        let shown = problems[0].to_string();
        assert!(
            shown.contains(says) && shown.contains(": warning: "),
            "{shown}"
        );
        assert!(!shown.contains(SECRET), "{shown}");
    }
}
