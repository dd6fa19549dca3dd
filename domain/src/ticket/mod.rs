//! Domain tables: ticket.

pub mod board;
