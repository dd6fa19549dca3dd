use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{
    Auth, Config, Connection, DataAfter, DatabaseAddress, DatabaseKind, DiskQuota, GitStore,
    Loaded, Period, Problem, RateLimit, Schedule, ScopePattern, Secret, SecretSource, Severity,
    load, parse, summary,
};
use chrono::{DateTime, TimeZone as _, Utc};
use headwater_domain::rules::deployment::EnvironmentNames;
use headwater_domain::rules::{Rules, untraced};
use proptest::prelude::*;

/// Every key the program knows, as a user would write it.
pub(super) const EXAMPLE: &str = r#"
[database]
url = "sqlite:headwater.db"

[[connection]]
id = 1
name = "acme-cloud"
kind = "bitbucket-cloud"
endpoint = "https://api.bitbucket.org/2.0/"
auth.kind = "api-token"
auth.email = "me@acme.example"
auth.token = "env:BITBUCKET_TOKEN"
requests_per_hour = 1000
concurrency = 8
proxy = "http://proxy.example:3128"
ca_file = "corporate-ca.pem"
timeout_seconds = { connect = 10, read = 60, total = 120 }
scopes = ["acme/*", "!acme/sandbox"]
include_archived = true
include_forks = false
scope_config = "default"
data_after = "6 months"
reconcile_every = "7 days"
git.enabled = true
git.url = "https://bitbucket.org/{scope}.git"

[scope_config.default]
entities = ["code", "code-review", "cicd", "issues", "cross"]
deployment_pattern = "(?i)deploy"
production_pattern = "(?i)prod"
deployment_ref_pattern = "^release/"
production_ref_pattern = "^main$"
tags_pattern = '^v?\d+\.\d+\.\d+'
tags_limit = 10
tags_order = "reverse semver"
tag_prefixes = ["release-"]
tag_pairs = [["v1.0.0", "v2.0.0"]]
line_counts = true
[scope_config.default.issue_status]
todo = ["new", "open"]
in_progress = ["on hold"]
done = ["resolved", "closed", "duplicate", "invalid", "wontfix"]
other = []
[scope_config.default.environments]
"prod-*" = "PRODUCTION"
[scope_config.default.issue_type]
BUG = ["bug"]
REQUIREMENT = ["enhancement", "proposal", "task"]

[git]
folder = "headwater-git"
quota = "20 GB"
program = "git"

[[project]]
name = "payments"
scopes = ["acme-cloud:acme/payments-*"]
schedule = "0 */2 * * *"
timezone = "Europe/Berlin"
data_after = "6 months"
skip_failed = true
"#;

pub(super) const MINIMAL: &str = r#"
[[connection]]
id = 1
name = "a"
kind = "bitbucket-cloud"
scopes = ["acme/*"]
"#;

pub(super) fn accepted(text: &str) -> Config {
    let (config, problems) = parse(text, "headwater.toml");
    let listing: Vec<String> = problems.iter().map(ToString::to_string).collect();
    config.unwrap_or_else(|| panic!("{}", listing.join("\n")))
}

fn connection(lines: &str) -> Connection {
    let text = format!("[[connection]]\nid = 1\nname = \"a\"\n{lines}\n");
    accepted(&text).connections.remove(0)
}

fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

#[test]
fn the_example_is_accepted_without_a_word() {
    let (config, problems) = parse(EXAMPLE, "headwater.toml");
    assert_eq!(problems, []);
    let config = config.unwrap();

    let connection = &config.connections[0];
    assert!(matches!(connection.auth, Auth::ApiToken { .. }));
    assert_eq!(connection.rate_limit(), RateLimit::PerHour(1000));
    assert!(connection.wanted("acme/api") && !connection.wanted("acme/sandbox"));
    let rules = config.scope_config_of(connection).unwrap();
    assert!(
        rules
            .deployment_pattern
            .as_ref()
            .unwrap()
            .is_match("Deploy to production")
    );
    let project = config.project("payments").unwrap();
    assert!(project.wanted("acme-cloud", "acme/payments-api") && project.skip_failed);
    assert!(!project.wanted("other", "acme/payments-api"));
    assert_eq!(project.timezone.name(), "Europe/Berlin");
}

#[test]
fn an_empty_file_has_defaults_but_no_connection() {
    let (config, problems) = parse("", "headwater.toml");
    assert_eq!(problems, []);
    let config = config.unwrap();
    assert_eq!(config.database.url.to_string(), "sqlite:headwater.db");
    assert!(config.scope_configs.contains_key("default"));
    let reason = config.require_connections().unwrap_err();
    assert!(reason.to_string().contains("no [[connection]]"));
}

#[test]
fn each_kind_of_connection_has_its_own_defaults() {
    let anonymous = connection("kind = \"bitbucket-cloud\"");
    assert_eq!(anonymous.rate_limit(), RateLimit::PerHour(60));
    let endpoint = anonymous.endpoint.unwrap();
    assert_eq!(endpoint.as_str(), "https://api.bitbucket.org/2.0/");

    let server = connection(
        "kind = \"bitbucket-data-center\"\nendpoint = \"https://git.acme.example/stash\"\n\
         auth = { kind = \"access-token\", token = \"file:token\" }\nscopes = [\"*/repos/*\"]",
    );
    let limit = RateLimit::PerSecond {
        requests: 5,
        burst: 60,
    };
    assert_eq!(server.rate_limit(), limit);
    assert_eq!(server.endpoint.as_ref().unwrap().path(), "/stash/");
    assert!(server.lists_every_workspace() && server.workspaces_to_list().is_empty());

    let git = connection("kind = \"git\"\ngit.urls = { \"team/service\" = \"/srv/a.git\" }");
    assert_eq!(git.exact_names(), ["team/service"]);
    assert_eq!(git.rate_limit(), RateLimit::Unlimited);
}

#[test]
fn a_connection_without_an_api_is_accepted_as_the_documents_show_it() {
    let text = "[[connection]]\nid = 9\nname = \"plain\"\nkind = \"git\"\nauth.kind = \"none\"\n\
                scopes = [\"tools/widget\"]\n\
                git.urls = { \"tools/widget\" = \"/srv/git/widget.git\" }   # a path\n\
                scope_config = \"default\"\n";
    let (config, problems) = parse(text, "headwater.toml");
    assert_eq!(problems, []);
    let config = config.unwrap();
    assert_eq!(config.git, GitStore::default());
    let plain = &config.connections[0];
    assert_eq!(plain.exact_names(), ["tools/widget"]);
    let url = plain.git.url_of("tools/widget");
    assert_eq!(url.as_deref(), Some("/srv/git/widget.git"));
    assert_eq!(plain.git.url_of("tools/other"), None);
}

#[test]
fn repositories_of_git_are_paths_and_addresses_of_https_and_ssh() {
    for address in [
        "/srv/git/widget.git",
        "/home/me/my repositories/widget",
        "https://git.example/tools/widget.git",
        "ssh://git@git.example:7999/tools/widget.git",
        "git@git.example:tools/widget.git",
        "http://127.0.0.1:8080/widget.git",
    ] {
        let lines = format!("kind = \"git\"\ngit.urls = {{ \"tools/widget\" = \"{address}\" }}");
        let url = connection(&lines).git.url_of("tools/widget");
        assert_eq!(url.as_deref(), Some(address));
    }
}

#[test]
fn git_of_a_connection_with_an_api_is_off_until_it_is_wanted() {
    let cloud = |lines: &str| connection(&format!("kind = \"bitbucket-cloud\"\n{lines}")).git;
    let off = cloud("");
    assert_eq!((off.enabled, off.url_of("acme/web")), (false, None));
    let usual = cloud("git.enabled = true").url_of("acme/web");
    assert_eq!(usual.as_deref(), Some("https://bitbucket.org/acme/web.git"));
    let chosen = cloud(
        "endpoint = \"http://127.0.0.1:1/2.0/\"\ngit.enabled = true\n\
         git.url = \"http://127.0.0.1:2/scm/{scope}\"",
    );
    let url = chosen.url_of("acme/web");
    assert_eq!(url.as_deref(), Some("http://127.0.0.1:2/scm/acme/web"));
}

#[test]
fn disk_space_is_counted_in_thousands() {
    let bytes = |text: &str| text.parse::<DiskQuota>().map(DiskQuota::bytes).ok();
    assert_eq!(bytes("500 MB"), Some(500_000_000));
    assert_eq!(bytes(" 2tb "), Some(2_000_000_000_000));
    for wrong in [
        "",
        "20",
        "GB",
        "20 GiB",
        "-1 GB",
        "0 GB",
        "1.5 GB",
        "99999999 TB",
    ] {
        assert_eq!(bytes(wrong), None, "{wrong}");
    }
}

#[test]
fn scopes_are_wanted_by_pattern_unless_excluded() {
    let lines = "kind = \"bitbucket-cloud\"\nscopes = [\"acme/web\", \"beta/api-*\", \
                 \"beta/api-old\", \"!beta/*-old\"]";
    let connection = connection(lines);
    assert!(connection.wanted("acme/web") && connection.wanted("Acme/WEB"));
    assert!(connection.wanted("beta/api-new") && !connection.wanted("beta/api-old"));
    assert!(!connection.wanted("beta/api-new/deeper"));
    assert_eq!(connection.exact_names(), ["acme/web"]);
    assert_eq!(connection.workspaces_to_list(), BTreeSet::from(["beta"]));
    assert!(ScopePattern::parse("acme/web").unwrap().is_exact());
}

#[test]
fn data_after_is_a_period_a_date_or_a_time() {
    let now = time("2026-03-31T12:00:00Z");
    let cases = [
        ("6 months", "2025-09-30T12:00:00Z"),
        ("1 month", "2026-02-28T12:00:00Z"),
        ("90 days", "2025-12-31T12:00:00Z"),
        ("2 weeks", "2026-03-17T12:00:00Z"),
        ("1 Year", "2025-03-31T12:00:00Z"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00Z"),
    ];
    for (text, expected) in cases {
        let parsed: DataAfter = text.parse().unwrap();
        assert_eq!(parsed.resolve(now), time(expected), "{text}");
    }
    let unquoted = connection("kind = \"bitbucket-cloud\"\ndata_after = 2026-01-31");
    let date = unquoted.data_after.unwrap();
    assert_eq!(date.resolve(now), time("2026-01-31T00:00:00Z"));
    let week: Period = "7 days".parse().unwrap();
    assert_eq!(week.after(now), time("2026-04-07T12:00:00Z"));
}

#[test]
fn schedules_mean_what_crontab_means() {
    let friday = Utc.with_ymd_and_hms(2026, 11, 20, 12, 30, 15).unwrap();
    let cases = [
        ("0 */2 * * *", "2026-11-20T14:00:00Z"),
        ("*/20 45 12 * * *", "2026-11-20T12:45:00Z"),
        ("0 6 * * 0", "2026-11-22T06:00:00Z"),
        ("0 6 * * 7", "2026-11-22T06:00:00Z"),
        ("0 6 * * 1-5", "2026-11-23T06:00:00Z"),
        ("0 6 * * SAT-MON", "2026-11-21T06:00:00Z"),
        // The first of the month or a Wednesday: whichever comes first.
        ("0 6 1 * WED", "2026-11-25T06:00:00Z"),
    ];
    for (text, expected) in cases {
        let schedule: Schedule = text.parse().unwrap();
        let next = schedule.next_after(friday, chrono_tz::UTC).unwrap();
        assert_eq!(next, time(expected), "{text}");
    }
    let schedule: Schedule = "0 6 * * *".parse().unwrap();
    let berlin = schedule.next_after(friday, chrono_tz::Europe::Berlin);
    assert_eq!(berlin.unwrap(), time("2026-11-21T05:00:00Z"));
    for broken in [
        "* * *",
        "61 * * * *",
        "0 0 30 2 *",
        "0 0 * * 8",
        "0 0 * * 1/0",
    ] {
        assert!(broken.parse::<Schedule>().is_err(), "{broken}");
    }
}

#[test]
fn schedules_survive_the_change_of_the_clocks() {
    let cases = [
        // In October, 02:08 comes twice in Berlin; a daily run happens once.
        ("8 2 * * *", "2026-10-24T23:00:00Z", "2026-10-25T00:08:00Z"),
        ("8 2 * * *", "2026-10-25T00:08:00Z", "2026-10-26T01:08:00Z"),
        ("8 2 * * *", "2026-10-25T00:59:59Z", "2026-10-26T01:08:00Z"),
        // A run every half an hour goes on through both.
        (
            "*/30 * * * *",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
        ),
        (
            "*/30 * * * *",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
        ),
        (
            "*/30 * * * *",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z",
        ),
        // In March, 02:30 is skipped and made up for at 03:00.
        ("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
        ("30 2 * * *", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
        ("30 2 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
    ];
    for (text, now, expected) in cases {
        let schedule: Schedule = text.parse().unwrap();
        let next = schedule.next_after(time(now), chrono_tz::Europe::Berlin);
        assert_eq!(next.unwrap(), time(expected), "{text} after {now}");
    }
}

/// What the rules of the default scope config in a file say of states and kinds.
fn rules_in(text: &str) -> Rules {
    accepted(text)
        .scope_configs
        .remove("default")
        .unwrap()
        .rules()
}

#[test]
fn any_issue_status_list_replaces_all_defaults() {
    let status = |rules: &Rules, state| rules.issue_status_of(state, &mut untraced);
    let defaults = rules_in("");
    assert_eq!(
        defaults.issue_fingerprint(),
        Rules::default().issue_fingerprint()
    );
    assert_eq!(status(&defaults, " On Hold "), "IN_PROGRESS");
    assert_eq!(defaults.issue_type_of("Task", &mut untraced), "REQUIREMENT");
    let text = "[scope_config.default.issue_status]\ndone = [\" Shipped \"]\n\
                [scope_config.default.issue_type]\nINCIDENT = [\"bug\"]\nCHORE = [\"Sweep\"]\n\
                [scope_config.default.environments]\n\"prod-*\" = \"PRODUCTION\"\n\
                prod-copy = \"STAGING\"";
    let rules = rules_in(text);
    assert_eq!(status(&rules, "shipped"), "DONE");
    assert_eq!(status(&rules, "new"), "OTHER");
    for (kind, expected) in [("bug", "INCIDENT"), ("sweep", "CHORE"), ("task", "")] {
        assert_eq!(rules.issue_type_of(kind, &mut untraced), expected, "{kind}");
    }
    for (name, expected) in [
        ("prod-eu", "PRODUCTION"),
        ("prod-copy", "STAGING"),
        ("Prod-eu", ""),
    ] {
        let names = EnvironmentNames { name, kind: "" };
        assert_eq!(rules.environment(names, &mut untraced), expected, "{name}");
    }
}

#[test]
fn a_secret_prints_as_stars_everywhere() {
    let secret = Secret::new("hunter2");
    assert_eq!(format!("{secret} {secret:?}"), "*** ***");
    assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
    let source = SecretSource::literal("hunter2");
    assert_eq!(format!("{source} {source:?}"), "*** ***");
    assert_eq!(source.read(Path::new("")).unwrap().expose(), "hunter2");

    let text = "[database]\nurl = \"postgres://me:hunter2@db.example:5433/water?password=hunter2\"\n\
                [[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-data-center\"\n\
                endpoint = \"https://git.example/\"\nscopes = [\"A/repos/b\"]\n\
                auth = { kind = \"basic\", user = \"me\", password = \"hunter2\" }";
    let (config, problems) = parse(text, "headwater.toml");
    let config = config.unwrap();
    let everything = format!("{config:?} {problems:?} {}", config.database.url);
    assert!(!everything.contains("hunter2"), "{everything}");
    assert!(everything.contains("postgres://db.example:5433/water"));
    assert_eq!(
        summary("headwater.toml", &problems),
        "headwater.toml: 2 warnings"
    );
    let address = config.database.url.read(Path::new("")).unwrap();
    assert_eq!(address.kind(), DatabaseKind::Postgres);
    assert!(address.expose().contains("me:hunter2@"));
}

#[test]
fn database_addresses_are_checked_and_kept() {
    let path = |text| DatabaseAddress::parse(text).unwrap().sqlite_path();
    assert_eq!(path("sqlite:a/b.db").unwrap(), Path::new("a/b.db"));
    assert_eq!(path("sqlite://b.db").unwrap(), Path::new("b.db"));
    assert_eq!(path("sqlite:///var/b.db").unwrap(), Path::new("/var/b.db"));
    let address = DatabaseAddress::parse("mariadb://me@db/water").unwrap();
    assert_eq!(
        (address.kind(), address.expose()),
        (DatabaseKind::Mysql, "mysql://me@db/water")
    );
}

#[test]
fn secrets_are_read_from_variables_and_files_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), "s3cret\r\n").unwrap();
    fs::write(folder.path().join("empty"), "\n").unwrap();
    let read = |source: SecretSource| source.read(folder.path());
    assert_eq!(
        read(SecretSource::file("token")).unwrap().expose(),
        "s3cret"
    );
    let manifest = env!("CARGO_MANIFEST_DIR");
    let variable = read(SecretSource::environment("CARGO_MANIFEST_DIR"));
    assert_eq!(variable.unwrap().expose(), manifest);

    let unset = read(SecretSource::environment("HEADWATER_NO_SUCH")).unwrap_err();
    assert!(unset.to_string().contains("HEADWATER_NO_SUCH is not set"));
    assert!(
        read(SecretSource::file("empty"))
            .unwrap_err()
            .to_string()
            .contains("is empty")
    );
    assert!(
        read(SecretSource::file("absent"))
            .unwrap_err()
            .to_string()
            .contains("absent")
    );
}

#[test]
fn what_this_machine_lacks_is_a_warning_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("headwater.toml");
    let text = EXAMPLE.replace("BITBUCKET_TOKEN", "HEADWATER_NO_SUCH");
    fs::write(&path, text).unwrap();
    let loaded: Loaded = load(&path).unwrap();
    assert_eq!(loaded.folder, folder.path());
    let problems = loaded.check_machine();
    let token: &Problem = &problems[1];
    assert_eq!(
        (token.line, token.column, token.key.as_str()),
        (12, 14, "connection[0].auth.token")
    );
    assert!(
        problems
            .iter()
            .all(|problem| problem.severity == Severity::Warning)
    );
    assert!(problems[0].to_string().contains("corporate-ca.pem"));
}

#[test]
fn a_file_that_cannot_be_read_is_one_problem_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let missing = load(&folder.path().join("none.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("headwater init") && missing.contains("--config"),
        "{missing}"
    );
    let directory = load(folder.path()).unwrap_err().to_string();
    assert!(
        directory.contains("is a folder") && directory.ends_with("1 error"),
        "{directory}"
    );
    let binary = folder.path().join("binary.toml");
    fs::write(&binary, b"# one\nurl = \"\xff\"\n").unwrap();
    let binary = load(&binary).unwrap_err().to_string();
    assert!(binary.contains("not valid UTF-8 in line 2"), "{binary}");
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "(?s).{0,300}") {
        let _ = parse(&text, "headwater.toml");
    }

    #[test]
    fn a_damaged_example_never_panics(
        start in 0..EXAMPLE.len(),
        length in 0_usize..40,
        inserted in r#"[\[\]{}"'=.,a-z0-9é\n#*!:/-]{0,6}"#,
    ) {
        let mut text = EXAMPLE.to_owned();
        text.replace_range(start..(start + length).min(EXAMPLE.len()), &inserted);
        let (config, problems) = parse(&text, "headwater.toml");
        prop_assert_eq!(config.is_none(), problems.iter().any(Problem::is_error));
    }

    #[test]
    fn arbitrary_schedules_never_panic(text in "[0-9*/,a-zA-Z-]{1,5}( [0-9*/,?A-Z-]{1,5}){4,5}") {
        let _ = text.parse::<Schedule>();
    }

    #[test]
    fn the_next_moment_of_a_schedule_is_always_later(
        minute in 0..60, hour in 0..24, seconds in 1_774_000_000_i64..1_793_000_000,
    ) {
        // The range holds both changes between winter and summer time.
        let schedule: Schedule = format!("{minute} {hour} * * *").parse().unwrap();
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        let next = schedule.next_after(now, chrono_tz::Europe::Berlin).unwrap();
        prop_assert!(next > now && next - now <= chrono::TimeDelta::hours(49), "{next}");
    }
}
