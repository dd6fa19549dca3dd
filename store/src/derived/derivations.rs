//! What follows from what: which tables a derivation reads, and what a changed row makes stale.
//!
//! A derivation makes rows of stored rows. It declares the tables that it reads, how a row of each
//! maps to its keys, and the tables that it writes. Every transaction notes the rows that it
//! changes, and its commit adds the keys that follow to the work lists: docs/decisions/0047.

mod change;
mod listing;
mod noting;
mod tracked;

use std::collections::HashMap;
use std::sync::Arc;

use headwater_domain::Table;
use sea_orm::EntityTrait;

use crate::Store;

pub(crate) use change::{Cell, Image};
pub use change::{RowChange, Stale};
pub(crate) use noting::Noted;
pub use tracked::{ToList, Tracked};

/// Something that makes rows of stored rows.
#[derive(Clone, Debug)]
pub struct Derivation {
    /// Its name, unique among steps that convert.
    pub name: &'static str,
    /// Whose keys it works on.
    pub reach: Reach,
    /// What it reads.
    pub reads: Vec<Input>,
    /// What it writes.
    pub writes: Vec<Written>,
    /// Groups of tables: it runs only where of each group at least one table is filled.
    pub needs: &'static [&'static [&'static str]],
}

/// Whose keys a derivation works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Each scope has a work list of its own, and only its own rows change what is on it.
    Scope,
    /// Keys, such as projects, span scopes: there is one work list.
    Everywhere,
}

/// A table that a derivation reads.
#[derive(Clone, Debug)]
pub struct Input {
    pub(crate) table: &'static Table,
    pub(crate) follows: Follows,
    /// The columns that count; all where none is named.
    pub(crate) columns: &'static [&'static str],
    /// Which changes count; all where nothing says so.
    pub(crate) only: Option<fn(&RowChange<'_>) -> bool>,
    /// Only rows that come from a file count.
    pub(crate) imported: bool,
    /// A step whose list is for few keys; where it would get many, this way is taken instead.
    pub(crate) instead_of: Option<&'static str>,
}

/// What a changed row makes stale.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Follows {
    /// The key in this column, before the change and after it.
    Key(&'static str),
    /// The keys that another table gives for the value in this column.
    Through(Through),
    /// The month of the time in this column, before the change and after it, such as `2026-01`.
    Month(&'static str),
    /// All of the scope, and these further steps.
    Everything(&'static [&'static str]),
    /// Rows that name a commit by the beginning of its hash.
    ShortHashes,
    /// What this says.
    Of(fn(&RowChange<'_>) -> Stale),
}

/// How a value leads to keys of another table, or of one that is reached over two others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Through {
    pub(crate) column: &'static str,
    pub(crate) first: Hop,
    pub(crate) then: Option<Hop>,
}

impl Through {
    /// Where the keys are.
    pub(crate) fn last(&self) -> Hop {
        self.then.unwrap_or(self.first)
    }
}

/// From a value in the column `by` of a table to those in its column `key`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop {
    pub(crate) table: &'static str,
    pub(crate) by: &'static str,
    pub(crate) key: &'static str,
}

impl Input {
    fn new<E: EntityTrait>(follows: Follows) -> Self {
        Self {
            table: Table::of::<E>(),
            follows,
            columns: &[],
            only: None,
            imported: false,
            instead_of: None,
        }
    }

    /// A table with a column that holds the derivation's key.
    #[must_use]
    pub fn key<E: EntityTrait>(column: &'static str) -> Self {
        Self::new::<E>(Follows::Key(column))
    }

    /// A table with a column for whose value the table `T` gives the keys: in its column `key`, in
    /// the rows whose column `by` holds that value. A derivation that reads one table through
    /// another one reads that one, too.
    #[must_use]
    pub fn through<E: EntityTrait, T: EntityTrait>(
        column: &'static str,
        by: &'static str,
        key: &'static str,
    ) -> Self {
        let table = Table::of::<T>().name;
        Self::new::<E>(Follows::Through(Through {
            column,
            first: Hop { table, by, key },
            then: None,
        }))
    }

    /// A table with a column of times, whose months are the derivation's keys.
    #[must_use]
    pub fn month(table: &'static Table, column: &'static str) -> Self {
        Self {
            table,
            follows: Follows::Month(column),
            columns: &[],
            only: None,
            imported: false,
            instead_of: None,
        }
    }

    /// The same where what was found is no key, but leads through the table `T` to keys.
    #[must_use]
    pub fn and_through<T: EntityTrait>(mut self, by: &'static str, key: &'static str) -> Self {
        if let Follows::Through(through) = &mut self.follows {
            let table = Table::of::<T>().name;
            through.then = Some(Hop { table, by, key });
        }
        self
    }

    /// The same where only the changes count for which this holds. It has to hold wherever it is
    /// not certain that it does not.
    #[must_use]
    pub fn only(mut self, counts: fn(&RowChange<'_>) -> bool) -> Self {
        self.only = Some(counts);
        self
    }

    /// A table of which any change makes all of the scope stale.
    #[must_use]
    pub fn whole<E: EntityTrait>() -> Self {
        Self::new::<E>(Follows::Everything(&[]))
    }

    /// A table of which a change makes what this function says stale.
    #[must_use]
    pub fn following<E: EntityTrait>(of: fn(&RowChange<'_>) -> Stale) -> Self {
        Self::new::<E>(Follows::Of(of))
    }

    /// `repo_commits`, for what names commits by the beginnings of their hashes.
    #[must_use]
    pub fn short_hashes() -> Self {
        Self::new::<headwater_domain::code::repo_commit::Entity>(Follows::ShortHashes)
    }

    /// The same where only these columns count.
    #[must_use]
    pub fn of_columns(mut self, columns: &'static [&'static str]) -> Self {
        self.columns = columns;
        self
    }

    /// The same where only rows count that are imported from a file: what follows from those of a
    /// source, its conversions make.
    #[must_use]
    pub fn of_imports(mut self) -> Self {
        self.imported = true;
        self
    }

    /// The same for transactions alone that would put many keys on the list of this step: then its
    /// keys are dropped, and this way is taken.
    #[must_use]
    pub fn instead_of_many(mut self, step: &'static str) -> Self {
        self.instead_of = Some(step);
        self
    }

    /// The same where these steps of the scope begin anew, too.
    #[must_use]
    pub fn and_steps(mut self, steps: &'static [&'static str]) -> Self {
        self.follows = Follows::Everything(steps);
        self
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &'static Table {
        self.table
    }

    /// How a row leads to what is stale, in a few words.
    #[must_use]
    pub fn describe(&self) -> String {
        let way = self.describe_way();
        if self.imported {
            return format!("{way}, of imported rows");
        }
        way
    }

    fn describe_way(&self) -> String {
        match self.follows {
            Follows::Key(column) => format!("by {column}"),
            Follows::Month(column) => format!("by the month of {column}"),
            Follows::Through(Through {
                column,
                first,
                then,
            }) => {
                let over = |hop: Hop| format!("{}.{}", hop.table, hop.by);
                let then = then.map_or_else(String::new, |hop| format!(" and {}", over(hop)));
                format!("by {column} through {}{then}", over(first))
            }
            Follows::Everything(_) => "whole scope".to_owned(),
            Follows::ShortHashes => "by the beginning of commit_sha".to_owned(),
            Follows::Of(_) => "by what changed".to_owned(),
        }
    }
}

/// A table that a derivation writes.
#[derive(Clone, Debug)]
pub struct Written {
    /// The table.
    pub table: &'static Table,
    /// The column that tells whose rows these are; empty where the derivation knows it itself.
    pub owner: &'static str,
    /// Its rows follow from all of these tables: where one is not filled, they stay as they are.
    pub follows_from: &'static [&'static str],
}

impl Written {
    /// A table whose `owner` column holds the derivation's key.
    #[must_use]
    pub fn by<E: EntityTrait>(owner: &'static str) -> Self {
        Self {
            owner,
            ..Self::to::<E>()
        }
    }

    /// A table that the derivation knows how to write.
    #[must_use]
    pub fn to<E: EntityTrait>() -> Self {
        Self::of(Table::of::<E>())
    }

    /// Likewise a table that is at hand.
    #[must_use]
    pub fn of(table: &'static Table) -> Self {
        Self {
            table,
            owner: "",
            follows_from: &[],
        }
    }

    /// The same where its rows follow from all of these tables.
    #[must_use]
    pub fn from_all(mut self, tables: &'static [&'static str]) -> Self {
        self.follows_from = tables;
        self
    }
}

impl Derivation {
    /// Name of its step in checkpoints and work lists.
    #[must_use]
    pub fn step(&self) -> String {
        format!("convert:{}", self.name)
    }
}

/// The derivations that transactions of a store note changes for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Followers(Arc<Readers>);

#[derive(Debug, Default)]
struct Readers {
    derivations: Vec<Derivation>,
    steps: Vec<String>,
    /// Which reads of which derivations are of a table.
    by_table: HashMap<&'static str, Vec<(usize, usize)>>,
}

impl Readers {
    /// The name of a table, if any derivation reads it.
    fn name_of(&self, table: &str) -> Option<&'static str> {
        self.by_table.get_key_value(table).map(|(name, _)| *name)
    }
}

impl Store {
    /// The same store, whose transactions note for these derivations, too, what their changes make
    /// stale. Those that it notes changes for already stay: sources share domain tables.
    #[must_use]
    pub fn following(&self, mut derivations: Vec<Derivation>) -> Self {
        let known = self.followers.0.derivations.iter();
        let is_new = |name| derivations.iter().all(|it| it.name != name);
        let others: Vec<Derivation> = known.filter(|it| is_new(it.name)).cloned().collect();
        derivations.extend(others);
        let mut by_table: HashMap<&'static str, Vec<(usize, usize)>> = HashMap::new();
        for (place, derivation) in derivations.iter().enumerate() {
            for (read, of) in derivation.reads.iter().enumerate() {
                by_table
                    .entry(of.table.name)
                    .or_default()
                    .push((place, read));
            }
        }
        let readers = Readers {
            steps: derivations.iter().map(Derivation::step).collect(),
            derivations,
            by_table,
        };
        Self {
            followers: Followers(Arc::new(readers)),
            ..self.clone()
        }
    }
}
