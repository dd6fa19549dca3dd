use proptest::prelude::*;

use super::*;

fn every_tag(order: TagsOrder) -> TagRules {
    TagRules {
        pattern: Some(Regex::new("").unwrap()),
        order,
        ..TagRules::default()
    }
}

fn ordered<'n>(rules: &TagRules, names: &[&'n str]) -> Vec<&'n str> {
    let selection = select(rules, names.iter().copied());
    selection.placed.iter().map(|tag| tag.name).collect()
}

#[test]
fn versions_come_from_the_highest_by_the_rules_of_semantic_versioning() {
    for (case, names) in [
        (
            "numbers by size",
            &["v10.0.0", "v9.0.0", "v1.10.0", "v1.9.0", "v1.9.0-rc1"][..],
        ),
        (
            "a pre-release before its release",
            &["1.0.0", "1.0.0-rc1", "1.0.0-beta", "0.9.0"],
        ),
        (
            "the example of the specification",
            &[
                "1.0.0",
                "1.0.0-rc.1",
                "1.0.0-beta.11",
                "1.0.0-beta.2",
                "1.0.0-beta",
                "1.0.0-alpha.beta",
                "1.0.0-alpha.1",
                "1.0.0-alpha",
            ],
        ),
        ("numbers before letters", &["2.0.0-a", "2.0.0-1", "2.0.0-0"]),
        ("a `v` without weight", &["v2.0.0", "1.5.0", "V1.0.0"]),
        (
            "builds of one version by name",
            &["1.0.1", "1.0.0+b", "1.0.0+a.9", "1.0.0"],
        ),
        (
            "one version written twice by name",
            &["v1.0.0", "1.0.0", "0.1.0"],
        ),
        (
            "large numbers",
            &["1.0.18446744073709551615", "1.0.18446744073709551614"],
        ),
        (
            "two and four numbers, a missing one counting as 0",
            &[
                "7.19", "7.2.0.1", "7.2.0", "7.2", "7.2-rc1", "7.1.9.10", "7.1.9.9",
            ],
        ),
        (
            "leading zeros by number",
            &[
                "2026.10.01",
                "2026.09.15",
                "2026.9.2",
                "2026.01.15",
                "2025.12.31",
            ],
        ),
        (
            "leading zeros of a pre-release by number",
            &["1.0.0", "1.0.0-10", "1.0.0-09", "1.0.0-2"],
        ),
    ] {
        let mut shuffled = names.to_vec();
        shuffled.sort_unstable();
        assert_eq!(
            ordered(&every_tag(TagsOrder::ReverseSemver), &shuffled),
            names,
            "{case}"
        );
        let mut ascending = names.to_vec();
        ascending.reverse();
        assert_eq!(
            ordered(&every_tag(TagsOrder::Semver), &shuffled),
            ascending,
            "{case}"
        );
    }
}

#[test]
fn a_tag_that_is_no_version_is_listed_with_the_reason() {
    for (name, reason) in [
        (
            "latest",
            "is no version: \"latest\" does not begin with a number (`tag_prefixes` names what may stand before it)",
        ),
        (
            "v",
            "is no version: \"v\" does not begin with a number (`tag_prefixes` names what may stand before it)",
        ),
        (
            "",
            "is no version: \"\" does not begin with a number (`tag_prefixes` names what may stand before it)",
        ),
        (
            "vv1.0.0",
            "is no version: \"vv1.0.0\" does not begin with a number (`tag_prefixes` names what may stand before it)",
        ),
        (
            "7",
            "is no version: \"7\" has one number, and a version has two to four, such as 1.2.0",
        ),
        (
            "1.2.3.4.5",
            "is no version: \"1.2.3.4.5\" has 5 numbers, and a version has two to four, such as 1.2.0",
        ),
        (
            "1.0.0-",
            "is no version: \"1.0.0-\": empty identifier segment in pre-release identifier",
        ),
        (
            "1.0.0 ",
            "is no version: \"1.0.0 \": unexpected character ' ' after patch version number",
        ),
        (
            "1.0.0rc1",
            "is no version: \"1.0.0rc1\": unexpected character 'r' after patch version number",
        ),
        (
            "1.0.18446744073709551616",
            "is no version: \"1.0.18446744073709551616\": value of patch version number exceeds u64::MAX",
        ),
        (
            "v1.2.3.Final",
            "is no version: \"1.2.3.Final\": unexpected character 'F' while parsing fourth version number",
        ),
        (
            "1.2.",
            "is no version: \"1.2.\": unexpected end of input while parsing patch version number",
        ),
        (
            "1.2-rc_1",
            "is no version: \"1.2-rc_1\": unexpected character '_' in pre-release identifier",
        ),
        (
            "widget/1.2+",
            "is no version: \"1.2+\": empty identifier segment in build metadata",
        ),
        (
            "1..0",
            "is no version: \"1..0\": unexpected character '.' while parsing minor version number",
        ),
    ] {
        let selection = select(
            &every_tag(TagsOrder::ReverseSemver),
            [name, "1.0.0", "0.1.0"],
        );
        assert_eq!(selection.placed.len(), 2, "{name}");
        assert_eq!(selection.rejected.len(), 1, "{name}");
        assert_eq!(selection.rejected[0].1.to_string(), reason, "{name}");
        assert_eq!(selection.pairs, [("0.1.0", "1.0.0")], "{name}");
    }
}

fn series_of<'n>(rules: &TagRules, name: &'n str) -> (&'n str, String) {
    let selection = select(rules, [name]);
    let [tag] = &selection.placed[..] else {
        panic!("{name}: {:?}", selection.rejected);
    };
    let version = tag.version.as_ref().map(ToString::to_string);
    (tag.series, version.unwrap_or_default())
}

#[test]
fn what_comes_before_the_version_is_found_by_itself() {
    for (name, series, version) in [
        ("v1.2.3", "", "1.2.3"),
        ("widget/v1.2.3", "widget/", "1.2.3"),
        ("widget2/V1.2", "widget2/", "1.2"),
        ("@acme/pkg@1.2.3-rc.1", "@acme/pkg@", "1.2.3-rc.1"),
        ("name-1.2.3.4", "name-", "1.2.3.4"),
        ("log4j-2.17.1", "log4j-", "2.17.1"),
        ("release_2026.01.15", "release_", "2026.01.15"),
        ("größe-1.0", "größe-", "1.0"),
        ("python3.11-1.2.0", "python3.11-", "1.2.0"),
        ("app-3-1.2.0", "app-3-", "1.2.0"),
        ("go1.21", "go", "1.21"),
        ("1.2.0-widget-3.4.5", "", "1.2.0-widget-3.4.5"),
        ("rev-v1.0", "rev-", "1.0"),
        ("a/b/c/v0.0.1", "a/b/c/", "0.0.1"),
        ("v.1.0", "v.", "1.0"),
    ] {
        let found = series_of(&every_tag(TagsOrder::ReverseSemver), name);
        assert_eq!(found, (series, version.to_owned()), "{name}");
    }
}

#[test]
fn a_configured_prefix_says_where_the_version_begins_and_the_longest_fits() {
    let rules = TagRules {
        prefixes: ["release-", "widget/", "widget/v1-", "rc2.", "dev"]
            .map(str::to_owned)
            .into(),
        ..every_tag(TagsOrder::ReverseSemver)
    };
    for (name, series, version) in [
        ("widget/v1-9.0.0", "widget/v1-", "9.0.0"),
        ("widget/v2.0.0", "widget/", "2.0.0"),
        ("widget/gadget-2.0.0", "widget/gadget-", "2.0.0"),
        ("release-v1.1.0", "release-", "1.1.0"),
        ("1.0.0", "", "1.0.0"),
        ("rc2.1.5", "rc2.", "1.5"),
        ("dev1.5", "dev", "1.5"),
    ] {
        assert_eq!(
            series_of(&rules, name),
            (series, version.to_owned()),
            "{name}"
        );
    }
}

#[test]
fn pairs_stay_within_a_series_in_every_order() {
    let names = [
        "gadget/v1.0.0",
        "widget/v1.0.0",
        "widget/v1.1.0",
        "gadget/v1.2.0",
        "widget/v1.3.0",
        "v9.0",
    ];
    let prefixes = ["widget/", "gadget/"].map(str::to_owned);
    for order in [
        TagsOrder::ReverseSemver,
        TagsOrder::Semver,
        TagsOrder::Alphabetically,
        TagsOrder::ReverseAlphabetically,
    ] {
        for prefixes in [Vec::new(), prefixes.to_vec()] {
            let rules = TagRules {
                prefixes,
                ..every_tag(order)
            };
            assert_eq!(
                select(&rules, names).pairs,
                [
                    ("gadget/v1.0.0", "gadget/v1.2.0"),
                    ("widget/v1.1.0", "widget/v1.3.0"),
                    ("widget/v1.0.0", "widget/v1.1.0"),
                ],
                "{order:?}"
            );
            let rules = TagRules { limit: 1, ..rules };
            let selection = select(&rules, names);
            assert_eq!(
                selection.pairs,
                [
                    ("gadget/v1.0.0", "gadget/v1.2.0"),
                    ("widget/v1.1.0", "widget/v1.3.0"),
                ],
                "each series has its own limit"
            );
            let neighbour = |name| {
                let tag = selection.placed.iter().find(|tag| tag.name == name);
                tag.unwrap().neighbour
            };
            assert_eq!(
                neighbour("widget/v1.3.0"),
                Neighbour::Older("widget/v1.1.0")
            );
            assert_eq!(neighbour("widget/v1.1.0"), Neighbour::BeyondLimit(1));
            assert_eq!(neighbour("widget/v1.0.0"), Neighbour::First);
            assert_eq!(neighbour("v9.0"), Neighbour::First);
        }
    }
}

#[test]
fn an_alphabetical_order_has_numbers_by_size_and_series_of_its_names() {
    for (case, names) in [
        ("versions", &["7.19", "7.2", "7.1"][..]),
        (
            "a number behind letters",
            &["build-b1", "build-a10", "build-a9"],
        ),
        ("dates", &["nightly-2026-10-01", "nightly-2026-9-30"]),
        (
            "leading zeros alone by bytes",
            &["2026-1", "2026-01", "2025-12"],
        ),
        (
            "large numbers",
            &["1.99999999999999999999999", "1.9999999999"],
        ),
        ("other letters", &["größe", "große", "gro"]),
    ] {
        let mut shuffled = names.to_vec();
        shuffled.sort_unstable();
        let rules = every_tag(TagsOrder::ReverseAlphabetically);
        assert_eq!(ordered(&rules, &shuffled), names, "{case}");
    }
    let rules = every_tag(TagsOrder::Alphabetically);
    assert_eq!(
        select(
            &rules,
            [
                "app-2026-01",
                "web-2026-02",
                "app-2026-03",
                "latest",
                "stable"
            ]
        )
        .pairs,
        [("latest", "stable"), ("app-2026-01", "app-2026-03")]
    );
}

#[test]
fn the_pattern_sees_the_name_alone() {
    let rules = TagRules {
        pattern: Some(Regex::new(r"^v?\d+\.\d+\.\d+").unwrap()),
        ..TagRules::default()
    };
    let selection = select(&rules, ["v1.0.0", "nightly-1.0.0", "1.0.0-rc1"]);
    assert_eq!(
        selection.rejected,
        [("nightly-1.0.0", Rejection::Unmatched)]
    );
    assert_eq!(selection.pairs, [("1.0.0-rc1", "v1.0.0")]);
}

#[test]
fn without_a_pattern_no_tag_is_compared() {
    let selection = select(&TagRules::default(), ["v1.0.0", "v2.0.0"]);
    assert_eq!(selection.placed, []);
    assert_eq!(selection.pairs, []);
    let reasons = selection.rejected.iter().map(|(_, reason)| reason);
    assert!(reasons.eq([&Rejection::NoPattern, &Rejection::NoPattern]));
}

#[test]
fn an_alphabetical_order_takes_every_name() {
    let names = ["2026-02", "2026-01", "1.0"];
    let rules = every_tag(TagsOrder::ReverseAlphabetically);
    assert_eq!(ordered(&rules, &names), names);
    assert_eq!(
        ordered(&every_tag(TagsOrder::Alphabetically), &names),
        ["1.0", "2026-01", "2026-02"]
    );
}

#[test]
fn the_limit_counts_pairs_from_the_highest_in_every_order() {
    let names = ["1.0.0", "2.0.0", "3.0.0", "4.0.0"];
    for order in [
        TagsOrder::ReverseSemver,
        TagsOrder::Semver,
        TagsOrder::Alphabetically,
        TagsOrder::ReverseAlphabetically,
    ] {
        let all = [("3.0.0", "4.0.0"), ("2.0.0", "3.0.0"), ("1.0.0", "2.0.0")];
        for limit in 0..5 {
            let rules = TagRules {
                limit,
                ..every_tag(order)
            };
            let selection = select(&rules, names);
            assert_eq!(selection.pairs, all[..limit.min(3)], "{order:?} {limit}");
            assert_eq!(selection.placed.len(), 4, "the order shows all tags");
        }
    }
}

proptest! {
    #[test]
    fn the_order_depends_on_the_set_of_names_only(
        names in prop::collection::btree_set("v?[0-2]\\.[0-2]\\.[0-2](-[ab0]|-rc\\.[12])?(\\+[xy])?|[a-c]", 0..20),
        seed in any::<u64>(),
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut mixed = names.clone();
        mixed.sort_by_key(|name| xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), seed));
        let rules = every_tag(TagsOrder::ReverseSemver);
        let selection = select(&rules, names.iter().copied());
        prop_assert_eq!(&selection, &select(&rules, mixed));
        prop_assert_eq!(selection.placed.len() + selection.rejected.len(), names.len());
        for two in selection.placed.windows(2) {
            prop_assert!(two[0].version >= two[1].version);
        }
    }

    #[test]
    fn any_names_have_one_order_and_no_pair_crosses_series(
        names in prop::collection::btree_set("[a-b/@v]{0,3}[0-9.é-]{0,6}(rc[0-9.]{0,3})?", 0..20),
        seed in any::<u64>(),
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut mixed = names.clone();
        mixed.sort_by_key(|name| xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), seed));
        for order in [TagsOrder::ReverseSemver, TagsOrder::Alphabetically] {
            let rules = every_tag(order);
            let selection = select(&rules, names.iter().copied());
            prop_assert_eq!(&selection, &select(&rules, mixed.iter().copied()));
            let series = |name: &str| {
                let tag = selection.placed.iter().find(|tag| tag.name == name);
                tag.unwrap().series
            };
            for (old, new) in &selection.pairs {
                prop_assert_eq!(series(old), series(new));
            }
        }
    }
}
