//! What follows from what, from raw tables to the last derived one, from the declarations.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::order::{Circle, Node, order};
use crate::source::{GIT, Source};

/// The section of `docs/streams.md` that draws the graph and lists its steps.
///
/// # Errors
/// When steps read what each other writes.
pub(super) fn markdown(source: &Source) -> Result<String, Circle> {
    let nodes = order(source)?;
    let mut page = String::from(
        "\n## What follows from what\n\nA change of a row makes stale what is made of it: each step \
         says what it reads, and how a row of that leads to its keys. Steps run in this order, each \
         after those that write what it reads; [0047](decisions/0047-derivations.md) says how.\n\n",
    );
    page.push_str("| step | reads | writes |\n| --- | --- | --- |\n");
    for node in &nodes {
        let writes: Vec<&str> = node.writes().into_iter().collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            node.name(),
            inputs(*node).join(", "),
            writes.join(", ")
        );
    }
    page.push_str("\n```mermaid\nflowchart LR\n");
    for edge in edges(source, &nodes) {
        let _ = writeln!(page, "  {edge}");
    }
    page.push_str("```\n");
    Ok(page)
}

/// What a step reads, and how a row leads to its keys.
fn inputs(node: Node<'_>) -> Vec<String> {
    match node {
        Node::Conversion(conversion) => {
            let inputs = conversion.inputs().into_iter();
            let inputs = inputs.map(|(table, column)| format!("{} by {column}", table.name));
            let hashes = conversion.resolves_hashes();
            let hashes = hashes.then(|| "repo_commits by the beginning of commit_sha".to_owned());
            inputs.chain(hashes).collect()
        }
        Node::Derivation(derivation) => {
            let reads = derivation.declared.reads.iter();
            let describe = |name: &str, how: &str| format!("{name} {how}");
            reads
                .map(|input| describe(input.table().name, &input.describe()))
                .collect()
        }
    }
}

/// Lines of the drawing: tables have corners, steps have none.
fn edges(source: &Source, nodes: &[Node<'_>]) -> BTreeSet<String> {
    let mut edges = BTreeSet::new();
    for entry in &source.streams {
        for table in &entry.extraction.tables {
            let raw = &entry.collection.raw_table;
            edges.insert(format!("{raw} --> {}", table.name));
        }
    }
    if let Some((accounts, _)) = source.accounts {
        let table = (accounts.table)();
        edges.insert(format!("items[all items] --> {}", table.name));
    }
    for table in &source.of_git {
        edges.insert(format!("{GIT}[mirrors of git] --> {}", table.name));
    }
    for node in nodes {
        let step = format!("step_{name}([{name}])", name = node.name());
        for table in node.reads() {
            edges.insert(format!("{table} --> {step}"));
        }
        for table in node.writes() {
            edges.insert(format!("{step} --> {table}"));
        }
    }
    edges
}
