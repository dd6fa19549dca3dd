//! Headwater: engineering data from Bitbucket, in tables that answer questions.
//!
//! This crate is the program: command line, configuration, plan and runs. The stages are crates
//! of their own (`headwater-collectors`, `headwater-extractors`, `headwater-converters`) which
//! meet only in tables; `headwater-store` is the only one that writes SQL.

pub mod boards;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod connect;
pub mod context;
pub mod credential;
pub mod database;
mod deviations;
pub mod diagnosis;
pub mod doctor;
pub mod entities;
pub mod estimate;
pub mod exit;
pub mod git;
mod incident_files;
mod input;
pub mod order;
pub mod output;
mod people;
pub mod plan;
pub mod planning;
pub mod projects;
pub mod raw_files;
pub mod report;
pub mod resolve;
pub mod run;
pub mod serve;
pub mod session;
pub mod source;
pub mod sources;
mod table_files;
pub mod views;
