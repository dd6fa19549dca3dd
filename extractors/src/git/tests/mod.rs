//! Whole histories against what git itself says of them.

mod following;
mod lake;
mod patches;
mod shapes;
mod sharing;
