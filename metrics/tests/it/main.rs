//! Tests of the crate from outside.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod case;
mod hand_made_cases;
mod random_companies;
