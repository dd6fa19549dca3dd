use proptest::prelude::*;

use super::*;

fn named(text: &str) -> String {
    line(&of_text(text))
}

#[test]
fn an_issue_is_named_by_its_number_or_its_key() {
    for (text, expected) in [
        ("#12", "#12"),
        ("Fixes #12.", "#12"),
        ("(#12, #3)", "#3 #12"),
        ("#12: a title", "#12"),
        ("bugfix/#12-text", "#12"),
        ("#12 again #12", "#12"),
        ("ABC-12", "ABC-12"),
        ("feature/ABC-12-text", "ABC-12"),
        ("fix-ABC-12", "ABC-12"),
        ("[ABC-12] title", "ABC-12"),
        ("A1_B-7 and AB-7", "A1_B-7 AB-7"),
        ("https://tracker.example/browse/ABC-12", "ABC-12"),
        ("see [#12](https://a.example/x#3) and #4", "#4 #12"),
        ("#1 #2\nABC-1", "#1 #2 ABC-1"),
        ("größer #12 größer", "#12"),
        ("UTF-8", "UTF-8"),
    ] {
        assert_eq!(named(text), expected, "{text}");
    }
}

#[test]
fn what_only_looks_like_an_issue_names_none() {
    for text in [
        "",
        "#",
        "# 12",
        "#x",
        "a#12",
        "ä#12",
        "_#12",
        "##12",
        "&#39;",
        "#12ab",
        "#12_",
        "#12é",
        "#12.5",
        "#0",
        "#012",
        "#1234567890123456789",
        "https://a.example/b#12",
        "see https://a.example/b/#12",
        "abc-12",
        "A-12",
        "1A-12",
        "aABC-12",
        "éABC-12",
        "x_ABC-12",
        "_ABC-12",
        "ABC-012",
        "ABC-0",
        "ABC-",
        "ABC-x",
        "ABC-12b",
        "ABC-1.2",
        "ABC - 12",
    ] {
        assert_eq!(named(text), "", "{text}");
    }
    let long = "A".repeat(LONGEST_PROJECT + 1);
    assert_eq!(named(&format!("{long}-1")), "");
    assert_ne!(named(&format!("{}-1", &long[1..])), "");
}

#[test]
fn the_number_of_a_pull_request_is_no_issue() {
    for text in [
        "Merged in feature (pull request #12)",
        "Merge pull request #12 from a/b",
        "pull requests: #12",
        "Pull-Request #12",
        "PR #12",
        "pr\n#12",
        "MR: #12",
    ] {
        assert_eq!(named(text), "", "{text}");
    }
    assert_eq!(named("Merged in ABC-3 (pull request #12)"), "ABC-3");
    assert_eq!(named("expr #12"), "#12", "not the word");
    assert_eq!(named("pull request\n\n\n\n#12"), "#12", "not beside it");
}

#[test]
fn one_text_names_so_many_and_no_more() {
    let text: Vec<String> = (1..10_000).map(|number| format!("#{number}")).collect();
    let found = of_text(&text.join(" "));
    assert_eq!(found.len(), MOST_OF_A_TEXT);
    assert!(found.contains(&Mention::Number(1)));
    assert!(!found.contains(&Mention::Number(9_999)), "the first ones");
}

#[test]
fn a_long_text_is_read_in_one_pass() {
    for unit in ["#", "A", "-", "A-", "#1", "pr #1 ", "AB-1.1 ", "://#1"] {
        let text = unit.repeat((1 << 20) / unit.len());
        assert!(of_text(&text).len() < 2, "{unit}");
    }
}

fn mention() -> impl Strategy<Value = Mention> {
    prop_oneof![
        (1i64..1_000_000).prop_map(Mention::Number),
        ("[A-Z][A-Z0-9_]{1,9}", 1i64..1_000_000)
            .prop_map(|(project, number)| Mention::Key(format!("{project}-{number}"))),
    ]
}

proptest! {
    #[test]
    fn mentions_are_found_whatever_their_order(
        mut mentions in prop::collection::vec(mention(), 0..20),
    ) {
        let expected: BTreeSet<Mention> = mentions.iter().cloned().collect();
        let texts = |mentions: &[Mention]| {
            mentions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        prop_assert_eq!(&of_text(&texts(&mentions)), &expected);
        mentions.reverse();
        prop_assert_eq!(&of_text(&texts(&mentions)), &expected);
        prop_assert_eq!(&of_text(&line(&expected)), &expected, "what was found is found again");
    }

    #[test]
    fn any_text_is_read(text in "\\PC*|(#|-|[A-Z]|[0-9]|:|/| |é|\u{0}|pr)*") {
        for mention in of_text(&text) {
            let shown = mention.to_string();
            prop_assert!(text.contains(&shown));
            prop_assert!(shown.len() <= 64);
        }
    }
}
