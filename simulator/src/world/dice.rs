//! The world's own source of chance: hashes, identifiers and the pace of the clock.

use std::fmt::Write;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};

use super::model::Hash;

/// Everything random that the world decides by itself, so that equal worlds stay equal under equal changes.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    pub(crate) rng: StdRng,
    last_comment: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice {
            rng: StdRng::seed_from_u64(seed),
            last_comment: 481_000_000,
        }
    }

    pub(crate) fn hash(&mut self) -> Hash {
        let mut bytes = [0; 20];
        self.rng.fill_bytes(&mut bytes);
        Hash(bytes)
    }

    /// A version 4 UUID without braces.
    pub(crate) fn uuid(&mut self) -> String {
        let high: u64 = self.rng.random();
        let low: u64 = self.rng.random();
        let (time, version) = (high >> 16, high & 0x0fff | 0x4000);
        let (variant, node) = (low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
        format!(
            "{:08x}-{:04x}-{version:04x}-{variant:04x}-{node:012x}",
            time >> 16,
            time & 0xffff
        )
    }

    /// Both forms of account ids are still in use.
    pub(crate) fn account_id(&mut self) -> String {
        if self.rng.random_bool(0.5) {
            return format!("557058:{}", self.uuid());
        }
        let mut bytes = [0; 12];
        self.rng.fill_bytes(&mut bytes);
        hexadecimal(&bytes)
    }

    /// Ids grow with gaps, as the real service numbers comments across all its customers.
    pub(crate) fn comment_id(&mut self) -> u64 {
        self.last_comment += self.rng.random_range(1..=9);
        self.last_comment
    }

    /// A span between two numbers of seconds, with microseconds.
    pub(crate) fn span(&mut self, seconds: std::ops::Range<i64>) -> TimeDelta {
        let microseconds = self
            .rng
            .random_range(seconds.start * 1_000_000..seconds.end * 1_000_000);
        TimeDelta::microseconds(microseconds)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
