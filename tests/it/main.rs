//! Integration tests of the whole program, in one binary.

mod command_line;
mod history;
mod lake;
mod oracle;
mod registry;
mod secrets;
mod sync;
