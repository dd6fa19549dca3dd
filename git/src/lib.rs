//! The system's git as a child process: isolated, bounded, and without secrets in sight.
//!
//! A [`Command`] takes option strings that are written in this program, and values that were
//! checked ([`RefName`], [`ObjectId`], [`RemoteUrl`]); nothing from outside can become an option.
//! It sees no configuration but the one made for it, runs no hook, never prompts, and dies
//! with its whole process group when it is cancelled or dropped. What it prints is read in
//! records, with bounded memory.
//!
//! Commands are offline unless they are given a [`Remote`].

mod advertised;
mod command;
mod credentials;
mod environment;
mod error;
#[cfg(feature = "fixture")]
pub mod fixture;
mod group;
mod program;
mod progress;
mod remote;
mod running;
mod stderr;
#[cfg(test)]
mod tests;
mod value;

pub use advertised::{Advertised, Head};
pub use command::Command;
pub use credentials::Credentials;
pub use error::{GitError, GitErrorKind};
pub use program::{FindError, Git, Version};
pub use progress::Progress;
pub use remote::Remote;
pub use running::{Input, Running};
pub use value::{InvalidValue, ObjectId, Paths, RefName, RemoteUrl, Scheme};
