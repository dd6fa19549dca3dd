//! What boards of people's work ask: from teams and users over accounts to what these did.

use headwater_simulator::{Options, Simulator, Size};
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use serde_json::json;

use crate::hashes::import as raw_import;
use crate::lake::{ALL, How, Lake, code, headwater, stdout};

/// Accounts that wrote pull requests and issues.
const AUTHOR: &str = "SELECT author_id FROM pull_requests \
                      WHERE author_id IN (SELECT id FROM accounts) ORDER BY author_id LIMIT 1";
const REPORTER: &str = "SELECT creator_id FROM issues \
                        WHERE creator_id IN (SELECT id FROM accounts) ORDER BY creator_id LIMIT 1";

/// From a team to what its people did, through the tables that a board joins.
const OF_TEAM: &str = "FROM teams JOIN team_users ON team_users.team_id = teams.id \
                       JOIN users ON users.id = team_users.user_id \
                       JOIN user_accounts ON user_accounts.user_id = users.id ";

fn import(lake: &Lake, table: &str, content: &str) {
    std::fs::write(lake.folder().join("rows.csv"), content).unwrap();
    let imported = headwater(lake.folder(), &["table", "import", table, "rows.csv"]);
    assert_eq!(code(&imported), 0, "{imported:?}");
}

async fn first(lake: &Lake, sql: &str) -> Vec<String> {
    let row = lake.ask(sql).await.rows.into_iter().next();
    let cells = row.unwrap_or_else(|| panic!("no row of {sql}")).into_iter();
    cells
        .map(|cell| match cell {
            Cell::Text(text) => text,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_work_of_a_team_is_found_over_users_and_accounts(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let options = Options {
        size: Size::tiny(),
        trackers: Some(3),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let author = first(&lake, AUTHOR).await.remove(0);
    let reporter = first(&lake, REPORTER).await.remove(0);
    // The API shows who an address is of by the account beside it.
    let account = author.rsplit_once("Account:1:").unwrap().1;
    let commit = json!({
        "hash": "1111111111111111111111111111111111111111", "message": "Faster", "parents": [],
        "date": "2026-01-31T09:30:00+00:00", "author": {
            "raw": "Ada Archer <ada@acme.example>",
            "user": {"type": "user", "account_id": account, "display_name": "Ada"},
        },
    });
    raw_import(&lake, "commits", &[commit]);
    stdout(&headwater(lake.folder(), &["transform"]));
    import(&lake, "teams", "id,name\n1,Rockets\n");
    import(
        &lake,
        "users",
        "id,email,name\n7,ada@acme.example,Ada\n8,git@home.org,Bob\n",
    );
    import(&lake, "team_users", "team_id,user_id\n1,7\n1,8\n");
    // Of an account without an address a person says whose it is.
    if reporter != author {
        let row = format!("account_id,user_id\n{reporter},7\n");
        import(&lake, "user_accounts", &row);
    }
    // Git alone knows this author, by the address.
    import(
        &lake,
        "commits",
        "sha,author_id,author_email,author_name\n\
         0123456789012345678901234567890123456789,git@home.org,git@home.org,Bob\n",
    );
    stdout(&headwater(lake.folder(), &["people", "join"]));
    for (table, column) in [
        ("commits", "author_id"),
        ("pull_requests", "author_id"),
        ("issues", "creator_id"),
    ] {
        let own =
            format!("SELECT COUNT(*) FROM {table} WHERE {column} IN ('{author}', '{reporter}')");
        let own = lake.number(&own).await;
        assert!(own > 0, "{table}");
        let joined = format!(
            "SELECT COUNT(*) {OF_TEAM} JOIN accounts ON accounts.id = user_accounts.account_id \
             JOIN {table} ON {table}.{column} = accounts.id \
             WHERE teams.name = 'Rockets' AND users.name = 'Ada'"
        );
        assert_eq!(lake.number(&joined).await, own, "{table}");
    }
    let by_address = format!(
        "SELECT COUNT(*) {OF_TEAM} JOIN commits ON commits.author_id = user_accounts.account_id \
         WHERE users.name = 'Bob'"
    );
    assert_eq!(lake.number(&by_address).await, 1);
    // A later sync takes nothing of it away.
    lake.sync(How { full: true }).await;
    assert_eq!(lake.number(&by_address).await, 1);
}
