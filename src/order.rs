//! In which order steps convert: what writes a table comes before what reads it.

use std::collections::BTreeSet;
use std::fmt;

use headwater_converters::{Conversion, Derivation};
use headwater_store::derivations::Reach;

use crate::source::Source;

/// One step that converts: tool rows to domain rows, or stored rows to what follows from them.
#[derive(Clone, Copy)]
pub enum Node<'a> {
    /// Tool rows to domain rows.
    Conversion(&'a Conversion),
    /// Stored rows to what follows from them.
    Derivation(&'a Derivation),
}

impl<'a> Node<'a> {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conversion(conversion) => conversion.name,
            Self::Derivation(derivation) => derivation.name(),
        }
    }

    /// Tables that it reads.
    #[must_use]
    pub fn reads(self) -> BTreeSet<&'static str> {
        match self {
            Self::Conversion(conversion) => conversion.reads_from(),
            Self::Derivation(derivation) => {
                let reads = derivation.declared.reads.iter();
                reads.map(|input| input.table().name).collect()
            }
        }
    }

    /// Tables that it writes.
    #[must_use]
    pub fn writes(self) -> BTreeSet<&'static str> {
        match self {
            Self::Conversion(conversion) => conversion.tables().iter().map(|it| it.name).collect(),
            Self::Derivation(derivation) => {
                let writes = derivation.declared.writes.iter();
                writes.map(|written| written.table.name).collect()
            }
        }
    }

    /// True for what is derived over all scopes together.
    #[must_use]
    pub fn spans_scopes(self) -> bool {
        match self {
            Self::Conversion(_) => false,
            Self::Derivation(derivation) => derivation.declared.reach == Reach::Everywhere,
        }
    }

    /// True when it has to come after another step.
    #[must_use]
    pub fn follows(self, other: Node<'a>) -> bool {
        self.name() != other.name() && !self.reads().is_disjoint(&other.writes())
    }
}

/// Steps that wait for each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Circle(Vec<&'static str>);

impl fmt::Display for Circle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "these steps read what each other writes, so none of them can come first: {}; take one \
             of them out of the source's table of contents, or one of the tables out of what it \
             reads",
            self.0.join(", ")
        )
    }
}

/// The conversions and derivations of a source, each after those that write what it reads, and as
/// the source lists them where that leaves a choice.
///
/// # Errors
/// When some of them read what each other writes.
pub fn order(source: &Source) -> Result<Vec<Node<'_>>, Circle> {
    let conversions = source.conversions.iter().map(Node::Conversion);
    let derivations = source.derivations.iter().map(Node::Derivation);
    let mut left: Vec<Node<'_>> = conversions.chain(derivations).collect();
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |node: &Node<'_>| !left.iter().any(|other| node.follows(*other));
        let Some(free) = left.iter().position(is_free) else {
            return Err(Circle(circle_among(&left)));
        };
        ordered.push(left.remove(free));
    }
    Ok(ordered)
}

/// Of steps of which none is free, those that wait for each other, without those that only wait
/// for these.
fn circle_among(left: &[Node<'_>]) -> Vec<&'static str> {
    let mut path: Vec<usize> = vec![0];
    loop {
        let last = path.last().copied().unwrap_or_default();
        let awaited = |other: &Node<'_>| left[last].follows(*other);
        let Some(next) = left.iter().position(awaited) else {
            return path.iter().map(|place| left[*place].name()).collect();
        };
        if let Some(start) = path.iter().position(|place| *place == next) {
            return path[start..]
                .iter()
                .map(|place| left[*place].name())
                .collect();
        }
        path.push(next);
    }
}
