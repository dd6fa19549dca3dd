//! What a person can get wrong: each mistake through the program, with its message, its exit code,
//! and nothing half written.

use std::fs;
use std::process::Output;

use headwater::sources::Sources;
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::lake::{Lake, code, headwater, stdout};

const SHOP: &str = "[[project]]\nname = \"shop\"\nscopes = []\n";

/// One mistake: a file with its name and content, the command, and what comes of it.
struct Mistake {
    file: (&'static str, &'static str),
    command: &'static [&'static str],
    exit: i32,
    says: &'static [&'static str],
}

const TABLE: &[&str] = &["table", "import", "incidents", "rows.csv"];
const INCIDENTS: &[&str] = &["import", "incidents", "rows.csv"];
const INCIDENT_LINES: &[&str] = &["import", "incidents", "rows.jsonl"];

/// Mistakes in files of rows, and on the command line.
const MISTAKES: &[Mistake] = &[
    // A row that does not fit: line, column, value, what was expected.
    Mistake {
        file: ("rows.csv", "id,lead_time_minutes\nx1,5\nx2,ten\n"),
        command: TABLE,
        exit: 3,
        says: &[
            "rows.csv:3: column lead_time_minutes: \"ten\" is not a whole number, such as 12",
            "nothing was imported",
        ],
    },
    Mistake {
        file: (
            "rows.csv",
            "id,created_date\nx1,2026-01-31\nx2,31.01.2026\n",
        ),
        command: INCIDENTS,
        exit: 3,
        says: &[
            "rows.csv:3: column created_date: \"31.01.2026\" is not a time, such as 2026-01-31T",
            "nothing was imported",
        ],
    },
    Mistake {
        file: (
            "rows.jsonl",
            "{\"id\":\"x1\",\"created_date\":\"2026-01-31\"}\n\
             {\"id\":\"x2\",\"created_date\":\"2026-01-31\",\"lead_time_minutes\":\"ten\"}\n",
        ),
        command: INCIDENT_LINES,
        exit: 3,
        says: &["rows.jsonl:2: column lead_time_minutes: \"ten\" is not a whole number"],
    },
    Mistake {
        file: ("rows.csv", "id,title\nx1,a\nx2\n"),
        command: TABLE,
        exit: 3,
        says: &["rows.csv:3: the row has 1 fields, and the header 2"],
    },
    // Names that there are not.
    Mistake {
        file: ("rows.csv", "id\nx1\n"),
        command: &["table", "import", "incidnets", "rows.csv"],
        exit: 2,
        says: &["incidnets is no table of this version; did you mean incidents?"],
    },
    Mistake {
        file: ("rows.csv", "id,titel\nx1,a\n"),
        command: TABLE,
        exit: 3,
        says: &["rows.csv:1: incidents has no column \"titel\"; did you mean title?"],
    },
    Mistake {
        file: ("rows.csv", "id,created_date,sevrity\nx1,2026-01-31,high\n"),
        command: INCIDENTS,
        exit: 3,
        says: &["rows.csv:1: incidents have no column \"sevrity\"; did you mean severity?"],
    },
    Mistake {
        file: ("rows.csv", ""),
        command: &["metrics", "dora", "shpo"],
        exit: 2,
        says: &["there is no project \"shpo\": did you mean \"shop\"?"],
    },
    // Two rows of one id.
    Mistake {
        file: (
            "rows.csv",
            "id,created_date\nx1,2026-01-31\nx2,2026-01-31\nx1,2026-02-01\n",
        ),
        command: INCIDENTS,
        exit: 3,
        says: &[
            "rows.csv:4: the incident \"x1\" is on line 2 too",
            "keep the line",
        ],
    },
    Mistake {
        file: (
            "rows.jsonl",
            "{\"id\":\"x1\",\"created_date\":\"2026-01-31\"}\n{\"id\":\"x1\",\"withdrawn\":true}\n",
        ),
        command: INCIDENT_LINES,
        exit: 3,
        says: &["rows.jsonl:2: the incident \"x1\" is on line 1 too"],
    },
    Mistake {
        file: ("rows.csv", "id,title\nx1,a\nx1,b\n"),
        command: TABLE,
        exit: 3,
        says: &["rows.csv:3: the key id \"x1\" is that of line 2 too"],
    },
    // Ranges that end before they begin, or hold no day.
    Mistake {
        file: ("rows.csv", ""),
        command: &[
            "metrics",
            "dora",
            "shop",
            "--from",
            "2026-02-01",
            "--to",
            "2026-01-01",
        ],
        exit: 2,
        says: &[
            "2026-02-01",
            "2026-01-01",
            "give a --from that is before --to",
        ],
    },
    Mistake {
        file: ("rows.csv", ""),
        command: &[
            "metrics",
            "dora",
            "shop",
            "--from",
            "2026-02-01",
            "--to",
            "2026-02-01",
        ],
        exit: 2,
        says: &["give a --from that is before --to"],
    },
    Mistake {
        file: ("rows.csv", ""),
        command: &[
            "explain",
            "metric",
            "shop",
            "lead_time",
            "--from",
            "2026-02-01",
            "--to",
            "2026-01-01",
        ],
        exit: 2,
        says: &["give a --from that is before --to"],
    },
    Mistake {
        file: ("rows.csv", ""),
        command: &["metrics", "dora", "shop", "--from", "2026-02-30"],
        exit: 2,
        says: &["2026-02-30"],
    },
];

/// Projects that are wrong: the whole entry, and what is said of it.
const PROJECTS: &[(&str, &[&str])] = &[
    (
        "[[project]]\nname = \"shop\"\n",
        &["project[0].scopes", "is missing", "write scopes = ["],
    ),
    (
        "[[project]]\nname = \"shop\"\nscopes = [\"!acme:acme/old\"]\n",
        &["project[0].scopes", "names no scope: it only excludes some"],
    ),
    (
        "[[project]]\nname = \"shop\"\nscopes = []\nhotfix_title_pattern = \".*\"\n",
        &[
            "project[0].hotfix_title_pattern",
            "\".*\" matches everything",
            "expected what only hotfixes have",
        ],
    ),
    (
        "[[project]]\nname = \"shop\"\nscopes = []\nhotfix_branch_pattern = \"\"\n",
        &[
            "project[0].hotfix_branch_pattern",
            "is empty, which would match everything",
        ],
    ),
    (
        "[[project]]\nname = \"shop\"\nscopes = []\nrevert_title_pattern = \"(?<title>.*)\"\n",
        &[
            "project[0].revert_title_pattern",
            "matches everything",
            "expected what only reverts have",
        ],
    ),
    (
        "[[project]]\nname = \"shop\"\nscopes = []\ntimezone = \"Europe/Berln\"\n",
        &["project[0].timezone", "write timezone = \"Europe/Berlin\""],
    ),
    (
        "[[project]]\nname = \"shop\"\nscopes = []\ntimezone = \"Mars/Olympus\"\n",
        &["project[0].timezone", "\"Mars/Olympus\""],
    ),
    (
        "[[project]]\nname = \"shop\"\nscopes = []\nfailure_sources = []\n",
        &["project[0].failure_sources", "is empty"],
    ),
];

/// How many rows each table has.
async fn rows(lake: &Lake) -> Vec<Vec<Cell>> {
    let tables = Sources::all().tables().rows.into_iter();
    let counts = tables.map(|it| format!("SELECT '{0}', COUNT(*) FROM {0}", it.name));
    let counts: Vec<String> = counts.collect();
    lake.ask(&counts.join(" UNION ALL ")).await.rows
}

#[track_caller]
fn assert_refused(output: &Output, exit: i32, says: &[&str], about: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(code(output), exit, "{about}: {error}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{about}");
    for part in says {
        assert!(error.contains(part), "{about}: {error}\nexpected {part}");
    }
}

/// A database with a project and an incident.
async fn filled(on: On) -> Option<Lake> {
    let lake = Lake::with(on, SHOP).await?;
    let first = "id,title,created_date\nx0,first,2026-01-01\n";
    fs::write(lake.folder().join("rows.csv"), first).unwrap();
    stdout(&headwater(lake.folder(), TABLE));
    stdout(&headwater(lake.folder(), &["metrics", "refresh"]));
    Some(lake)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_is_told_with_its_place_and_nothing_is_half_written(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = filled(on).await else {
        return;
    };
    let before = rows(&lake).await;
    for Mistake {
        file: (name, content),
        command,
        exit,
        says,
    } in MISTAKES
    {
        fs::write(lake.folder().join(name), content).unwrap();
        let output = headwater(lake.folder(), command);
        assert_refused(&output, *exit, says, &format!("{command:?} of {content:?}"));
        assert_eq!(rows(&lake).await, before, "{command:?} of {content:?}");
    }
    let title = "SELECT COUNT(*) FROM incidents WHERE title = 'first'";
    assert_eq!(lake.number(title).await, 1, "what was there is as it was");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_project_stops_every_command_and_changes_nothing(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = filled(on).await else {
        return;
    };
    let before = rows(&lake).await;
    let file = lake.folder().join("headwater.toml");
    let connection = "[[connection]]\nid = 1\nname = \"acme\"\nkind = \"bitbucket-cloud\"\n\
                      auth.kind = \"none\"\nscopes = [\"acme/rocket\"]\n";
    let database = format!(
        "[database]\nurl = \"{}\"\n{connection}",
        lake.address.expose()
    );
    for (project, says) in PROJECTS {
        fs::write(&file, format!("{database}{project}")).unwrap();
        for command in [
            &["metrics", "refresh"][..],
            &["metrics", "dora", "shop"],
            &["sync"],
            &["transform"],
        ] {
            let output = headwater(lake.folder(), command);
            let place = [&["headwater.toml:"][..], says].concat();
            assert_refused(&output, 3, &place, &format!("{command:?} with {project}"));
        }
        assert_eq!(rows(&lake).await, before, "{project}");
    }
}
