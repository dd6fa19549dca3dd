//! Whole histories against what git itself says of them.

mod following;
mod lake;
mod patches;
mod shapes;
mod sharing;
#[path = "../../../../store/tests/it/test_database.rs"]
mod test_database;
