//! `people join`: accounts and authors that are one person.

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::hashes::{offline, texts};
use crate::lake::{Lake, code, headwater, stdout};

fn import(lake: &Lake, table: &str, content: &str) {
    std::fs::write(lake.folder().join("rows.csv"), content).unwrap();
    let imported = headwater(lake.folder(), &["table", "import", table, "rows.csv"]);
    assert_eq!(code(&imported), 0, "{imported:?}");
}

async fn owners(lake: &Lake) -> Vec<String> {
    let rows = lake
        .ask("SELECT account_id, user_id FROM user_accounts ORDER BY account_id")
        .await;
    rows.rows.iter().map(|row| format!("{row:?}")).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn people_are_joined_by_address_and_an_import_joins_and_splits(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    import(
        &lake,
        "accounts",
        "id,email,full_name,is_bot\na1,,Ann,0\na2,ann@acme.org,Ann,0\nb1,,Bob,0\nci,,Build,1\n",
    );
    import(
        &lake,
        "commits",
        "sha,author_id,author_email,author_name\n1,a1,Ann@acme.org,ann\n\
         2,old@home.org,old@home.org,Ann\n3,ci,ann@acme.org,Build\n",
    );
    std::fs::write(
        lake.folder().join("mailmap"),
        "Ann Archer <ann@acme.org> <old@home.org>\n",
    )
    .unwrap();
    let join = ["people", "join", "--mailmap", "mailmap", "--by-name"];
    let tried = headwater(lake.folder(), &[&join[..], &["--dry-run"]].concat());
    assert!(stdout(&tried).contains("by the mailmap for old@home.org"));
    assert!(owners(&lake).await.is_empty(), "nothing is written");
    stdout(&headwater(lake.folder(), &join));
    let of_ann = |account: &str, user: &str| format!(r#"[Text("{account}"), Text("{user}")]"#);
    let joined = ["a1", "a2", "old@home.org"].map(|it| of_ann(it, "ann@acme.org"));
    assert_eq!(owners(&lake).await, joined);
    let names = "SELECT name FROM users ORDER BY id";
    assert_eq!(texts(&lake, names).await, ["Ann Archer"]);
    // An imported user gets the accounts of its address, and the one of its name.
    import(
        &lake,
        "users",
        "id,email,name\n7,ANN@acme.org,Ann A.\n8,,bob\n",
    );
    import(&lake, "user_accounts", "account_id,user_id\na2,9\n");
    stdout(&headwater(lake.folder(), &join));
    let expected = [
        of_ann("a1", "7"),
        of_ann("a2", "9"),
        of_ann("b1", "8"),
        of_ann("old@home.org", "7"),
    ];
    assert_eq!(owners(&lake).await, expected);
    assert_eq!(texts(&lake, names).await, ["Ann A.", "bob"]);
    std::fs::write(lake.folder().join("mailmap"), "\nann\n").unwrap();
    let refused = headwater(lake.folder(), &join);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(code(&refused), 3, "{error}");
    assert!(error.contains("mailmap:2: \"ann\" is no line"), "{error}");
    assert_eq!(owners(&lake).await, expected);
}
