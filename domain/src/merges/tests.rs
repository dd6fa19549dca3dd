use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::*;
use crate::graph::{CommitHash, GraphBuilder, PrefixIndex, PrefixMatch};

/// The hash of the commit with this number; neighbours share their first digits.
fn hash(number: usize) -> CommitHash {
    format!("{:07x}{number:033x}", number / 2).parse().unwrap()
}

fn graph_of(parents: &[Vec<usize>]) -> Graph {
    let mut builder = GraphBuilder::default();
    for (number, parents) in parents.iter().enumerate() {
        let parents: Vec<CommitHash> = parents.iter().map(|&parent| hash(parent)).collect();
        builder.add(hash(number), &parents).unwrap();
    }
    builder.finish()
}

fn commit(graph: &Graph, number: usize) -> Commit {
    graph.find(hash(number)).unwrap()
}

fn number(graph: &Graph, commit: Commit) -> usize {
    let text = graph.hash(commit).to_string();
    usize::from_str_radix(&text[7..], 16).unwrap()
}

fn numbers(graph: &Graph, links: &[Link]) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let of = |links: Vec<&Link>| -> BTreeSet<usize> {
        links.iter().map(|it| number(graph, it.commit)).collect()
    };
    let tips = links.iter().filter(|link| link.is_tip).collect();
    (of(links.iter().collect()), of(tips))
}

fn reachable(parents: &[Vec<usize>], from: usize) -> HashSet<usize> {
    let mut found = HashSet::new();
    let mut left = vec![from];
    while let Some(number) = left.pop() {
        if found.insert(number) {
            left.extend(&parents[number]);
        }
    }
    found
}

/// 0 - 1 ----- 5 (merge of 2, 3) - 6 - 7 (merge of main 6 into 4's branch)
///      \ 2 - 3 /                     /
///      \ 4 ------------------------- 7
fn history() -> Vec<Vec<usize>> {
    vec![
        vec![],
        vec![0],
        vec![1],
        vec![2],
        vec![1],
        vec![1, 3],
        vec![5],
        vec![4, 6],
    ]
}

#[test]
fn a_merge_commit_brings_what_fits_how_it_was_made() {
    let parents = history();
    let graph = graph_of(&parents);
    for (says, merge, head, own, expected) in [
        (
            "a merge brings both its commits",
            5,
            Some(3),
            vec![2, 3],
            vec![2, 3, 5],
        ),
        (
            "with its branch deleted too",
            5,
            None,
            vec![],
            vec![2, 3, 5],
        ),
        ("a squash is alone", 6, None, vec![], vec![6]),
        (
            "a squash of a kept branch too",
            6,
            Some(4),
            vec![4],
            vec![6],
        ),
        (
            "a stacked one leaves others' commits",
            6,
            Some(4),
            vec![3, 4],
            vec![6],
        ),
        (
            "a fast-forward has its own",
            3,
            Some(3),
            vec![2, 3],
            vec![2, 3],
        ),
        (
            "one to a merge of the main branch too",
            7,
            Some(7),
            vec![4, 7],
            vec![4, 7],
        ),
        (
            "one that nothing is known of is alone",
            3,
            Some(3),
            vec![],
            vec![3],
        ),
        ("a root may be one", 0, Some(0), vec![0], vec![0]),
    ] {
        let mut walk = RangeWalk::over(&graph);
        let own: Vec<Commit> = own.iter().map(|it| commit(&graph, *it)).collect();
        let source = Source {
            head: head.map(|it| commit(&graph, it)),
            own: &own,
        };
        let found = brought_by(
            &mut walk,
            &graph,
            commit(&graph, merge),
            source,
            Method::Ancestry,
        );
        let expected: BTreeSet<usize> = expected.into_iter().collect();
        assert_eq!(
            numbers(&graph, &found),
            (expected, BTreeSet::from([merge])),
            "{says}"
        );
    }
}

#[test]
fn what_was_moved_to_is_there_with_its_head() {
    let parents = history();
    let graph = graph_of(&parents);
    for (says, destination, head, own, expected) in [
        ("all of it", 6, Some(3), vec![2, 3], vec![2, 3]),
        ("not without its head", 6, Some(4), vec![3, 4], vec![]),
        ("one commit is its own head", 6, None, vec![3], vec![3]),
        (
            "of several the head is not known",
            6,
            None,
            vec![2, 3],
            vec![],
        ),
        ("nothing", 6, None, vec![], vec![]),
        ("nothing of another branch", 2, Some(3), vec![2, 3], vec![]),
    ] {
        let reach = Reach::from(&graph, commit(&graph, destination));
        let own: Vec<Commit> = own.iter().map(|it| commit(&graph, *it)).collect();
        let source = Source {
            head: head.map(|it| commit(&graph, it)),
            own: &own,
        };
        let found = moved_to(source, &reach);
        let expected: BTreeSet<usize> = expected.into_iter().collect();
        assert_eq!(numbers(&graph, &found).0, expected, "{says}");
        assert_eq!(
            found.iter().filter(|it| it.is_tip).count(),
            usize::from(!found.is_empty())
        );
    }
}

#[test]
fn a_copy_of_the_last_change_is_a_tip_and_one_of_another_is_not() {
    let parents = history();
    let graph = graph_of(&parents);
    let own = [2, 3].map(|it| commit(&graph, it));
    let source = Source {
        head: Some(own[1]),
        own: &own,
    };
    // 4 changes what 2 does, 6 what 3 does; 7 is a merge, and 5 is linked.
    let same = |original: Commit| match number(&graph, original) {
        2 => vec![own[0], commit(&graph, 4)],
        3 => vec![commit(&graph, 6), commit(&graph, 5)],
        other => panic!("nobody asks for {other}"),
    };
    let merge = Link {
        commit: commit(&graph, 5),
        method: Method::Ancestry,
        is_tip: true,
    };
    let found = copies(&graph, (&[merge], source), same);
    let expected = (BTreeSet::from([4, 6]), BTreeSet::from([6]));
    assert_eq!(numbers(&graph, &found), expected);
}

#[test]
fn the_beginning_of_a_hash_means_a_commit_when_it_is_the_only_one() {
    let graph = graph_of(&history());
    let mut prefixes = PrefixIndex::of(&graph);
    let full = hash(5).to_string();
    let found = |text: &str, prefixes: &mut PrefixIndex<'_>| match prefixes.find(text) {
        PrefixMatch::One(commit) => number(&graph, commit).to_string(),
        PrefixMatch::None => "none".to_owned(),
        PrefixMatch::Several => "several".to_owned(),
    };
    for (text, expected) in [
        (full.as_str(), "5"),
        ("0000002", "several"),
        ("000000200000000000000000000000000000000", "several"),
        ("0000004", "none"),
        ("", "none"),
        ("000", "none"),
        ("fffffff", "none"),
        ("000000-", "none"),
    ] {
        assert_eq!(found(text, &mut prefixes), expected, "{text}");
    }
}

fn shapes() -> impl Strategy<Value = Vec<Vec<usize>>> {
    let parents = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    prop::collection::vec(parents, 1..25).prop_map(|commits| {
        let commits = commits.into_iter().enumerate();
        let parents = commits.map(|(number, parents)| {
            let parents = parents.iter().filter(|_| number > 0);
            let distinct: BTreeSet<usize> = parents.map(|it| it.index(number)).collect();
            distinct.into_iter().rev().collect()
        });
        parents.collect()
    })
}

proptest! {
    #[test]
    fn what_is_reached_is_what_sets_say(
        parents in shapes(),
        from in any::<prop::sample::Index>(),
        asked in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let graph = graph_of(&parents);
        let from = from.index(parents.len());
        let expected = reachable(&parents, from);
        let asked: Vec<usize> = asked.iter().map(|it| it.index(parents.len())).collect();
        let commits: Vec<Commit> = asked.iter().map(|it| commit(&graph, *it)).collect();
        let found = reached(&graph, commit(&graph, from), &commits);
        let found: Vec<usize> = found.into_iter().map(|it| number(&graph, it)).collect();
        let wanted: Vec<usize> = asked.iter().copied().filter(|it| expected.contains(it)).collect();
        prop_assert_eq!(found, wanted);
        let reach = Reach::from(&graph, commit(&graph, from));
        for number in 0..parents.len() {
            prop_assert_eq!(reach.has(commit(&graph, number)), expected.contains(&number));
        }
    }

    #[test]
    fn a_merge_brings_itself_and_what_its_first_parent_had_not(parents in shapes()) {
        let graph = graph_of(&parents);
        let mut walk = RangeWalk::over(&graph);
        for (merge, above) in parents.iter().enumerate() {
            let of_merge = commit(&graph, merge);
            let source = Source::default();
            let found = brought_by(&mut walk, &graph, of_merge, source, Method::Ancestry);
            let (commits, tips) = numbers(&graph, &found);
            prop_assert_eq!(tips, BTreeSet::from([merge]));
            if above.len() < 2 {
                prop_assert_eq!(commits, BTreeSet::from([merge]));
                continue;
            }
            let before = reachable(&parents, above[0]);
            let all = reachable(&parents, merge);
            let expected: BTreeSet<usize> = all.difference(&before).copied().collect();
            prop_assert_eq!(commits, expected);
        }
    }

    #[test]
    fn every_beginning_finds_the_commits_that_have_it(
        parents in shapes(),
        digits in 7..41usize,
        of in any::<prop::sample::Index>(),
    ) {
        let graph = graph_of(&parents);
        let text = hash(of.index(parents.len())).to_string()[..digits].to_owned();
        let fitting = (0..parents.len()).filter(|it| hash(*it).to_string().starts_with(&text));
        let found = PrefixIndex::of(&graph).find(&text);
        if fitting.count() == 1 {
            prop_assert!(matches!(found, PrefixMatch::One(_)));
        } else {
            prop_assert_eq!(found, PrefixMatch::Several);
        }
    }
}
