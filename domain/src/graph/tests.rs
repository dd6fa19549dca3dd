mod git;

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

/// The hash of the commit with this number, far from its neighbours as real ones are.
fn hash(number: usize) -> CommitHash {
    let digits = format!("{:016x}", xxh3_64(&number.to_le_bytes()));
    format!("{digits}{digits}{number:08x}").parse().unwrap()
}

/// Parents by number; none for a commit that is only named.
type Shape = Vec<Option<Vec<usize>>>;

fn graph_of(shape: &Shape, order: &[usize]) -> Graph {
    let mut builder = GraphBuilder::default();
    for &number in order {
        if let Some(parents) = &shape[number] {
            let parents: Vec<CommitHash> = parents.iter().map(|&parent| hash(parent)).collect();
            builder.add(hash(number), &parents).unwrap();
        }
    }
    builder.finish()
}

fn in_order(shape: &Shape) -> Graph {
    graph_of(shape, &(0..shape.len()).collect::<Vec<_>>())
}

fn reachable(shape: &Shape, from: usize) -> HashSet<usize> {
    let mut found = HashSet::new();
    let mut left = vec![from];
    while let Some(number) = left.pop() {
        if found.insert(number) {
            left.extend(shape[number].iter().flatten());
        }
    }
    found
}

/// Pre-order as a recursive function gives it, without what `old` reaches.
fn in_preorder(shape: &Shape, number: usize, skipped: &mut HashSet<usize>, out: &mut Vec<usize>) {
    if !skipped.insert(number) {
        return;
    }
    if let Some(parents) = &shape[number] {
        out.push(number);
        for &parent in parents {
            in_preorder(shape, parent, skipped, out);
        }
    }
}

/// What the walk should give, found by sets: the commits, and whether all are known.
fn expected(shape: &Shape, new: usize, old: usize) -> (Vec<usize>, bool) {
    let (of_new, of_old) = (reachable(shape, new), reachable(shape, old));
    let mut found = Vec::new();
    in_preorder(shape, new, &mut of_old.clone(), &mut found);
    let whole = of_new.union(&of_old).all(|&number| shape[number].is_some());
    let is_complete = whole || found.is_empty();
    (found, is_complete)
}

fn walked(
    graph: &Graph,
    walk: &mut RangeWalk<'_>,
    ends: (usize, usize),
) -> (Vec<CommitHash>, bool) {
    let end = |number| graph.find(hash(number)).unwrap();
    let difference = walk.difference(end(ends.0), end(ends.1));
    let commits = difference.commits.iter();
    let hashes = commits.map(|&commit| graph.hash(commit)).collect();
    (hashes, difference.is_complete)
}

fn assert_walks_as_expected(shape: &Shape, graph: &Graph) {
    let mut walk = RangeWalk::over(graph);
    let known: Vec<usize> = (0..shape.len()).filter(|&n| shape[n].is_some()).collect();
    for &new in &known {
        for &old in &known {
            let (numbers, is_complete) = expected(shape, new, old);
            let hashes: Vec<CommitHash> = numbers.into_iter().map(hash).collect();
            let got = walked(graph, &mut walk, (new, old));
            assert_eq!(got, (hashes, is_complete), "{new} without {old}");
        }
    }
}

/// Commits with up to four parents among those before them, in an order of their own, where
/// some are only named.
fn shapes() -> impl Strategy<Value = (Shape, Vec<usize>)> {
    let parents = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    let commit = (parents, prop::bool::weighted(0.05), 0..8usize);
    prop::collection::vec(commit, 1..40).prop_flat_map(|commits| {
        let commits = commits.into_iter().enumerate();
        let shape = commits.map(|(number, (parents, cut, near))| {
            let parents = parents.iter().filter(|_| number > 0);
            // Parents near by make long histories, far ones make many roots and wide merges.
            let lowest = if near == 0 {
                0
            } else {
                number.saturating_sub(near)
            };
            let parents = parents.map(|parent| lowest + parent.index(number - lowest));
            let mut distinct: Vec<usize> = Vec::new();
            for parent in parents {
                if !distinct.contains(&parent) {
                    distinct.push(parent);
                }
            }
            (!cut).then_some(distinct)
        });
        let shape: Shape = shape.collect();
        let order = Just((0..shape.len()).collect::<Vec<_>>()).prop_shuffle();
        (Just(shape), order)
    })
}

proptest! {
    #[test]
    fn a_walk_finds_what_sets_find_in_the_order_of_a_recursive_one((shape, order) in shapes()) {
        assert_walks_as_expected(&shape, &graph_of(&shape, &order));
    }

    #[test]
    fn a_hash_is_read_and_written_alike(bytes in prop::collection::vec(any::<u8>(), 20)) {
        let hash = CommitHash::of_bytes(&bytes);
        let text = hash.to_string();
        let read: CommitHash = text.parse().unwrap();
        prop_assert_eq!(read.as_bytes(), &bytes);
        prop_assert_eq!(text.to_uppercase().parse::<CommitHash>().unwrap(), hash);
        for length in 0..=40 {
            prop_assert!(hash.begins_with(&text[..length]));
        }
        let longer = text + "0";
        prop_assert!(!hash.begins_with(&longer));
    }
}

#[test]
fn merges_that_cross_each_other_hide_nothing() {
    // Two branches merge each other twice, the tags stand on different sides.
    let shape: Shape = vec![
        Some(vec![]),
        Some(vec![0]),
        Some(vec![0]),
        Some(vec![1, 2]),
        Some(vec![2, 1]),
        Some(vec![3]),
        Some(vec![4]),
    ];
    assert_walks_as_expected(&shape, &in_order(&shape));
}

#[test]
fn histories_without_a_common_root_share_nothing() {
    let shape: Shape = vec![
        Some(vec![]),
        Some(vec![0]),
        Some(vec![]),
        Some(vec![2]),
        Some(vec![1, 3]),
    ];
    assert_walks_as_expected(&shape, &in_order(&shape));
}

#[test]
fn a_merge_of_many_lists_its_parents_from_the_first_on() {
    let mut shape: Shape = vec![Some(vec![])];
    shape.extend((1..10).map(|_| Some(vec![0])));
    shape.push(Some((1..10).collect()));
    let graph = in_order(&shape);
    let mut walk = RangeWalk::over(&graph);
    let (commits, _) = walked(&graph, &mut walk, (10, 0));
    let expected: Vec<CommitHash> = std::iter::once(10).chain(1..10).map(hash).collect();
    assert_eq!(commits, expected);
}

#[test]
fn a_history_of_a_million_commits_needs_no_deep_stack() {
    const COMMITS: usize = 1_000_000;
    let mut builder = GraphBuilder::with_capacity(COMMITS);
    for number in (0..COMMITS).rev() {
        let parent = number.checked_sub(1).map(hash);
        builder.add(hash(number), parent.as_slice()).unwrap();
    }
    let graph = builder.finish();
    assert_eq!(graph.len(), COMMITS);
    let mut walk = RangeWalk::over(&graph);
    let ends = (COMMITS - 1, COMMITS - 1001);
    let (commits, is_complete) = walked(&graph, &mut walk, ends);
    assert_eq!((commits.len(), is_complete), (1000, true));
    let (commits, _) = walked(&graph, &mut walk, (COMMITS - 1, 0));
    assert_eq!(commits.len(), COMMITS - 1);
}

#[test]
fn a_pair_looks_at_little_more_than_what_is_new() {
    const COMMITS: usize = 10_000;
    let shape: Shape = (0..COMMITS)
        .map(|number| Some(number.checked_sub(1).into_iter().collect()))
        .collect();
    let graph = in_order(&shape);
    let mut walk = RangeWalk::over(&graph);
    let (commits, _) = walked(&graph, &mut walk, (9_000, 8_990));
    assert_eq!(commits.len(), 10);
    assert!(walk.looked_at() <= 12, "{} commits", walk.looked_at());
}

#[test]
fn an_unknown_parent_is_not_found_and_makes_what_is_built_on_it_incomplete() {
    let shape: Shape = vec![None, Some(vec![0]), Some(vec![1]), Some(vec![])];
    let graph = in_order(&shape);
    assert_eq!(graph.find(hash(0)), None);
    assert_eq!(graph.len(), 3);
    let commit = |number| graph.find(hash(number)).unwrap();
    assert!(!graph.is_whole(commit(2)));
    assert!(graph.is_whole(commit(3)));
    assert_walks_as_expected(&shape, &graph);
}

#[test]
fn damaged_rows_that_form_a_circle_end_all_the_same() {
    let shape: Shape = vec![Some(vec![2]), Some(vec![0]), Some(vec![1]), Some(vec![2])];
    let graph = in_order(&shape);
    let mut walk = RangeWalk::over(&graph);
    for new in 0..4 {
        for old in 0..4 {
            let (commits, is_complete) = walked(&graph, &mut walk, (new, old));
            assert!(!is_complete || commits.is_empty());
        }
    }
}

#[test]
fn a_commit_that_is_added_twice_keeps_its_parents() {
    let mut builder = GraphBuilder::default();
    builder.add(hash(1), &[hash(0), hash(0)]).unwrap();
    builder.add(hash(1), &[hash(2)]).unwrap();
    let graph = builder.finish();
    let commit = graph.find(hash(1)).unwrap();
    let parents = graph.parents(commit).iter();
    let parents: Vec<CommitHash> = parents.map(|&parent| graph.hash(parent)).collect();
    assert_eq!(parents, [hash(0)]);
}

#[test]
fn commits_are_found_by_the_beginning_of_their_hash() {
    let graph = in_order(&vec![Some(vec![]), Some(vec![0]), None]);
    let text = hash(1).to_string();
    let found: Vec<CommitHash> = graph.beginning_with(&text[..7].to_uppercase()).collect();
    assert_eq!(found, [hash(1)]);
    assert_eq!(graph.beginning_with("").count(), 2);
    assert_eq!(graph.beginning_with("not hexadecimal").count(), 0);
}

#[test]
fn only_full_hashes_of_one_kind_make_a_graph() {
    let long = "ab".repeat(32);
    for text in ["", "abc", &"g".repeat(40), &"é".repeat(20), &long[..41]] {
        let error = text.parse::<CommitHash>().unwrap_err();
        assert_eq!(error, GraphError::NotAHash(text.to_owned()), "{text}");
    }
    let mut builder = GraphBuilder::default();
    builder.add(hash(0), &[]).unwrap();
    let long: CommitHash = long.parse().unwrap();
    assert_eq!(builder.add(long, &[]), Err(GraphError::OtherKind(long)));
    assert_eq!(builder.finish().find(long), None);
}
