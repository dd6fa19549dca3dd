//! Refs that name no commit, and refs that no mirror holds: the others are read.

use headwater::exit::Exit;
use headwater_git::fixture::Repository;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use super::{
    assert_equals_fresh, commits_of, lake_of, plain_configuration, stored_commits, texts, widget,
};
use crate::lake::{How, Lake, ended_output};

const NAMES: &str = "SELECT name FROM refs ORDER BY name";

/// Tags of every kind of object, and tags of such tags.
fn tag_everything(source: &Repository) {
    for (name, object) in [
        ("tree", "main^{tree}"),
        ("old-tree", "main~1^{tree}"),
        ("blob", "main:a.txt"),
    ] {
        let object = source.git(&["rev-parse", object]);
        let object = object.trim();
        source.git(&["tag", &format!("light-{name}"), object]);
        source.git(&["tag", "-a", "-m", "m", &format!("heavy-{name}"), object]);
        let heavy = source.git(&["rev-parse", &format!("refs/tags/heavy-{name}")]);
        source.git(&[
            "tag",
            "-a",
            "-m",
            "m",
            &format!("nested-{name}"),
            heavy.trim(),
        ]);
    }
    let v1 = source.git(&["rev-parse", "refs/tags/v1"]);
    source.git(&["tag", "-a", "-m", "m", "nested-commit", v1.trim()]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_tag_of_anything_stops_no_repository_and_tags_says_why_it_is_left_out(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
    #[values(false, true)] line_counts: bool,
) {
    let source = widget();
    let url = source.path().display().to_string();
    let rules = format!(
        "[scope_config.default]\nline_counts = {line_counts}\ntags_pattern = \".\"\n\n{}",
        plain_configuration(&[("tools/widget", &url)])
    );
    let Some(lake) = Lake::with(on, &rules).await else {
        return;
    };
    // Before the first run for one database, between two for the others.
    if on != Sqlite {
        assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    }
    tag_everything(&source);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(stored_commits(&lake).await, commits_of(&source));
    let expected = [
        "feature/x",
        "main",
        "refs/tags/light",
        "refs/tags/nested-commit",
        "refs/tags/v1",
    ];
    assert_eq!(texts(&lake, NAMES).await, expected);
    let shown = ended_output(lake.start(&["tags", "tools/widget", "--format", "csv"]));
    for kind in ["tree", "old-tree", "blob"] {
        for way in ["light", "heavy", "nested"] {
            let name = format!("{way}-{kind},");
            let line = shown.lines().find(|line| line.contains(&name));
            let what = if kind == "blob" { "a file" } else { "a folder" };
            assert!(
                line.is_some_and(|line| line.contains(what)),
                "{name}\n{shown}"
            );
        }
    }
    let (_, again) = lake.sync(How::default()).await;
    assert_eq!((again.written, again.requests), (0, 1), "{again:?}");
    assert_equals_fresh(on, &lake, &rules).await;
    source.git(&["tag", "-d", "light-tree", "heavy-tree", "nested-tree"]);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let left_out = "SELECT COUNT(*) FROM _headwater_left_out_refs";
    assert_eq!(lake.number(left_out).await, 6);
}

/// Adds refs that no file of the source could hold, as another kind of server may.
fn pack_refs(source: &Repository, names: &[String]) {
    source.git(&["pack-refs", "--all"]);
    let commit = source.resolve("main").unwrap();
    let path = source.path().join("packed-refs");
    let mut lines: Vec<String> = std::fs::read_to_string(&path)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    lines.extend(names.iter().map(|name| format!("{commit} {name}")));
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_no_file_system_holds_is_a_dead_letter_and_the_others_are_read(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let mut source = widget();
    let Some(lake) = lake_of(on, source.path()).await else {
        return;
    };
    let long = format!("refs/heads/zz/{}", "x".repeat(300));
    let deep = format!("refs/heads/{}", "zz/".repeat(1_000) + "x");
    let longer = format!("refs/heads/{}", "yy/".repeat(5_000) + "x");
    pack_refs(&source, &[long, deep, longer]);
    let expected = ["feature/x", "main", "refs/tags/light", "refs/tags/v1"];
    for _ in 0..2 {
        let (exit, summary) = lake.sync(How::default()).await;
        assert_eq!(exit, Exit::Partial, "{summary:?}");
        assert_eq!(texts(&lake, NAMES).await, expected);
    }
    let (_, unchanged) = lake.sync(How::default()).await;
    assert_eq!(unchanged.requests, 1, "nothing is fetched for them again");
    let letters = "SELECT message FROM _headwater_dead_letters ORDER BY item";
    let letters = texts(&lake, letters).await;
    assert_eq!(letters.len(), 3, "{letters:?}");
    for letter in &letters {
        assert!(
            letter.contains("of its name") || letter.contains("its name has"),
            "{letter}"
        );
    }
    source.commit("main", "more", &[("a.txt", "9\n")]);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Partial);
    assert_eq!(
        stored_commits(&lake).await,
        commits_of(&source),
        "it goes on"
    );
    pack_refs(&source, &[]);
    let path = source.path().join("packed-refs");
    let packed = std::fs::read_to_string(&path).unwrap();
    let short = packed.lines().filter(|line| line.len() < 200);
    std::fs::write(&path, short.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let letters = "SELECT COUNT(*) FROM _headwater_dead_letters";
    assert_eq!(lake.number(letters).await, 0);
}
