//! What Headwater remembers of people, whatever the source: which item describes whom, and how.

pub mod account_mention;
pub mod account_profile;
