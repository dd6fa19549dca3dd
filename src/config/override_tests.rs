//! Keys from the environment: every key, any value.

use std::ffi::OsString;

use toml_edit::{DocumentMut, Item, TableLike};

use super::tests::{EXAMPLE, MINIMAL};
use super::{Config, Overrides, Problem, parse_with};

fn overriding(pairs: &[(&str, &str)]) -> Overrides {
    let pairs = pairs.iter();
    Overrides::of(pairs.map(|&(name, value)| (OsString::from(name), OsString::from(value))))
}

fn parsed(text: &str, pairs: &[(&str, &str)]) -> (Option<Config>, Vec<Problem>) {
    parse_with(text, "headwater.toml", &overriding(pairs))
}

fn accepted(text: &str, pairs: &[(&str, &str)]) -> Config {
    let (config, problems) = parsed(text, pairs);
    config.unwrap_or_else(|| panic!("{pairs:?}: {problems:?}"))
}

/// Every value of a file that is no table, as the variable that stands for it, and its text. Each is
/// taken out of the file by `remove`.
fn keys(table: &dyn TableLike, variable: &str, found: &mut Vec<(String, String)>) {
    for (name, item) in table.iter() {
        let letter = |letter: char| match letter.to_ascii_uppercase() {
            letter if letter.is_ascii_alphanumeric() => letter,
            _ => '_',
        };
        let variable = format!(
            "{variable}__{}",
            name.chars().map(letter).collect::<String>()
        );
        if let Item::ArrayOfTables(tables) = item {
            for (place, table) in tables.iter().enumerate() {
                keys(table, &format!("{variable}__{place}"), found);
            }
        } else if let Some(table) = item.as_table_like() {
            keys(table, &variable, found);
        } else if let Some(value) = item.as_value() {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            found.push((variable, text.trim().to_owned()));
        }
    }
}

#[test]
fn every_key_can_be_given_by_the_environment() {
    let document: DocumentMut = EXAMPLE.parse().unwrap();
    let mut found = Vec::new();
    keys(document.as_table(), "HEADWATER", &mut found);
    assert!(found.len() > 40, "{found:?}");
    let whole = format!("{:#?}", accepted(EXAMPLE, &[]));
    for (variable, text) in &found {
        let (config, problems) = parsed(EXAMPLE, &[(variable, text)]);
        assert!(config.is_some(), "{variable}={text}: {problems:?}");
        assert_eq!(
            format!("{:#?}", config.unwrap()),
            whole,
            "{variable}={text}"
        );
    }
}

#[test]
fn hostile_values_are_refused_by_the_name_of_the_variable_and_never_repeated() {
    let document: DocumentMut = EXAMPLE.parse().unwrap();
    let mut found = Vec::new();
    keys(document.as_table(), "HEADWATER", &mut found);
    let hostile = [
        "hunter2secret",
        "\u{1b}[2Jhunter2secret\u{7}",
        "hunter2secret\nname = \"x\"",
        "[\"hunter2secret\", \"https://u:hunter2secret@h/\"]",
        "{ hunter2secret = \"hunter2secret\" }",
        "\"hunter2secret",
        "*/hunter2secret/[",
        "(hunter2secret",
    ];
    for (variable, _) in &found {
        for value in hostile {
            let (config, problems) = parsed(EXAMPLE, &[(variable, value)]);
            let said: Vec<String> = problems.iter().map(|it| it.in_full(false)).collect();
            let said = said.join("\n");
            assert!(
                !said.contains("hunter2secret"),
                "{variable}={value}: {said}"
            );
            if config.is_none() {
                // What it breaks elsewhere, such as a name that a project uses, is in the file.
                let named = problems
                    .iter()
                    .any(|it| it.file == *variable || it.line > 0);
                assert!(named, "{variable}={value}: {said}");
            }
        }
    }
}

#[test]
fn a_variable_goes_before_the_file_and_needs_no_section_there() {
    let url = |config: &Config| config.database.url.to_string();
    let pair = ("HEADWATER__DATABASE__URL", "sqlite:other.db");
    assert_eq!(url(&accepted("", &[pair])), "sqlite:other.db");
    let by_place = ("HEADWATER__CONNECTION__0__CONCURRENCY", "3");
    let by_name = ("HEADWATER__CONNECTION__A__SCOPES", "[\"acme/x\"]");
    let config = accepted(MINIMAL, &[by_place, by_name]);
    assert_eq!(config.connections[0].concurrency, 3);
    assert_eq!(config.connections[0].exact_names(), ["acme/x"]);
    let auth = [
        ("HEADWATER__CONNECTION__A__AUTH__KIND", "access-token"),
        ("HEADWATER__CONNECTION__A__AUTH__TOKEN", "hunter2secret"),
    ];
    let (config, problems) = parsed(MINIMAL, &auth);
    assert_eq!(config.unwrap().connections[0].auth.kind(), "access-token");
    assert_eq!(problems, [], "a variable is no file that others read");
}

#[test]
fn a_variable_that_stands_for_no_key_is_an_error() {
    let pairs = [
        ("HEADWATER__DATABASE__URI", "sqlite:x.db"),
        ("HEADWATER__CONNECTION__7__NAME", "x"),
        ("HEADWATER__", "x"),
        ("HEADWATER_CONFIG", "elsewhere.toml"),
        ("headwater__database__url", "x"),
    ];
    let (config, problems) = parsed(MINIMAL, &pairs);
    assert!(config.is_none());
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_an_error() {
    use std::os::unix::ffi::OsStringExt as _;
    let value = OsString::from_vec(vec![0xff, b'x']);
    let overrides = Overrides::of([(OsString::from("HEADWATER__DATABASE__URL"), value)]);
    let (config, problems) = parse_with("", "headwater.toml", &overrides);
    assert!(config.is_none());
    let said = problems[0].to_string();
    assert!(
        said.contains("HEADWATER__DATABASE__URL") && said.contains("UTF-8"),
        "{said}"
    );
}
