//! Keys that occur twice in a file, found in bounded memory.
//!
//! Of each key a number is kept. Keys whose numbers occur twice are read again as they are. A file
//! with more keys than numbers fit into memory is read once for each part of them.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use sea_orm::Value;

use crate::exit::Failure;

/// Numbers that are kept at once: 16 MiB.
const MOST: usize = 1 << 21;

/// Keys that are read again at once; if more numbers occur twice, so do keys among these.
const MOST_SUSPECTS: usize = 1000;

/// The keys of a file that belong to one of several parts, as numbers.
pub(crate) struct Part {
    number: u64,
    of: u64,
    most: usize,
    rows: u64,
    kept: Vec<u64>,
}

/// Keys that may occur twice.
#[derive(Default)]
pub(crate) struct Suspects {
    numbers: HashSet<u64>,
    seen: HashMap<Vec<Value>, u64>,
}

impl Default for Part {
    /// All keys.
    fn default() -> Self {
        Self::of(0, 1, MOST)
    }
}

/// Reads a file as often as its keys need: once for each part of them. Returns what the last
/// reading gave; all of them give the same.
///
/// # Errors
/// Those of a reading, and of the search for keys that may occur twice.
pub(crate) fn in_parts<T>(
    read: impl Fn(&mut Part) -> Result<T, Failure>,
    search: impl Fn(Suspects) -> Result<(), Failure>,
) -> Result<T, Failure> {
    let mut part = Part::default();
    loop {
        let done = read(&mut part)?;
        if let Some(suspects) = part.suspects() {
            search(suspects)?;
        }
        match part.next() {
            Some(next) => part = next,
            None => return Ok(done),
        }
    }
}

impl Part {
    fn of(number: u64, of: u64, most: usize) -> Self {
        Self {
            number,
            of,
            most,
            rows: 0,
            kept: Vec::new(),
        }
    }

    /// Takes the key of a row.
    pub(crate) fn add(&mut self, key: &[&Value]) {
        self.rows += 1;
        let number = number_of(key);
        if number % self.of == self.number && self.kept.len() <= self.most {
            self.kept.push(number);
        }
    }

    /// Keys of this part that may occur twice; none where all differ, or were too many.
    pub(crate) fn suspects(&mut self) -> Option<Suspects> {
        if self.kept.len() > self.most {
            return None;
        }
        self.kept.sort_unstable();
        let pairs = self.kept.windows(2).filter(|pair| pair[0] == pair[1]);
        let numbers: HashSet<u64> = pairs.map(|pair| pair[0]).take(MOST_SUSPECTS).collect();
        (!numbers.is_empty()).then(|| Suspects {
            numbers,
            ..Suspects::default()
        })
    }

    /// The part to be looked at next; none behind the last one.
    pub(crate) fn next(self) -> Option<Self> {
        if self.kept.len() > self.most {
            // Twice as many as needed, as they are not of one size.
            let of = self.rows.div_ceil(self.most as u64).max(self.of) * 2;
            return Some(Self::of(0, of, self.most));
        }
        (self.number + 1 < self.of).then(|| Self::of(self.number + 1, self.of, self.most))
    }
}

impl Suspects {
    /// The line on which a key occurred before.
    pub(crate) fn repeats(&mut self, key: &[&Value], line: u64) -> Option<u64> {
        if !self.numbers.contains(&number_of(key)) {
            return None;
        }
        let key: Vec<Value> = key.iter().map(|&value| value.clone()).collect();
        self.seen.insert(key, line)
    }
}

fn number_of(key: &[&Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of the first key that occurs twice, and how often the keys were read.
    fn search(keys: &[i64], most: usize) -> (Option<(u64, u64)>, usize) {
        let values: Vec<Value> = keys.iter().map(|&key| key.into()).collect();
        let mut part = Part::of(0, 1, most);
        let mut passes = 0;
        loop {
            passes += 1;
            for key in &values {
                part.add(&[key]);
            }
            if let Some(mut suspects) = part.suspects() {
                for (line, key) in (0..).zip(&values) {
                    if let Some(first) = suspects.repeats(&[key], line) {
                        return (Some((first, line)), passes);
                    }
                }
            }
            match part.next() {
                Some(next) => part = next,
                None => return (None, passes),
            }
        }
    }

    #[test]
    fn a_key_that_occurs_twice_is_found_however_few_fit_into_memory() {
        let different: Vec<i64> = (0..1000).collect();
        assert_eq!(search(&different, 1000), (None, 1));
        let (found, passes) = search(&different, 100);
        assert!(found.is_none() && passes >= 20, "{passes}");
        let mut repeated = different;
        repeated[990] = 17;
        for most in [10, 100, 2000] {
            assert_eq!(search(&repeated, most).0, Some((17, 990)), "{most}");
        }
    }
}
