//! When `PostgreSQL` is asked to look at a table again.
//!
//! Its planner knows nothing of a table that was empty a moment ago: it takes one row for granted
//! and reads all of them for each row of another table. The server looks by itself once a minute,
//! which is long after a first sync needed it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows written to a table after which it is looked at for the first time.
const FIRST: u64 = 500;

/// After each look, this many times as many rows have to be written before the next.
const GROWTH: u64 = 4;

/// Rows that this process wrote, by table. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(Arc<Mutex<HashMap<String, Count>>>);

#[derive(Debug)]
struct Count {
    rows: u64,
    next: u64,
}

impl Written {
    /// Counts rows; true when the table is to be looked at after the commit.
    pub(crate) fn add(&self, table: &str, rows: u64) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !counts.contains_key(table) {
            let count = Count {
                rows: 0,
                next: FIRST,
            };
            counts.insert(table.to_owned(), count);
        }
        let Some(count) = counts.get_mut(table) else {
            return false;
        };
        count.rows += rows;
        if count.rows < count.next {
            return false;
        }
        count.next = count.rows * GROWTH;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_looked_at_ever_more_rarely_as_it_grows() {
        let written = Written::default();
        let looks: Vec<u64> = (1..=10_000).filter(|_| written.add("repos", 1)).collect();
        assert_eq!(looks, [500, 2000, 8000]);
        assert!(!written.add("accounts", 499));
        assert!(written.add("accounts", 1));
    }
}
