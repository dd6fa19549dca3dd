//! Integration tests of the whole program, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod backfill;
mod bad_input;
mod broken_items;
mod budget;
mod bulk_list;
mod cancel;
mod carried_comments;
mod command_line;
mod connection;
mod connection_case;
mod corrections;
mod demo;
mod depot;
mod derivations;
mod diffs;
mod doctor;
mod documents;
mod dora;
mod entities;
mod explain;
mod forgetting;
mod git;
mod git_history;
mod hashes;
mod hostile_payloads;
mod incident_import;
mod issue_links;
mod issues;
mod joined_people;
mod json;
mod lake;
mod leases;
mod left_out;
mod lists;
mod merges;
mod network;
mod newest_first;
mod no_database;
mod oracle;
mod output;
mod partial_imports;
mod people;
mod planning;
mod projects;
mod query;
mod recorded_shapes;
mod refresh;
mod registry;
mod reliability;
mod renames;
mod requests;
mod reverts;
mod rules;
mod scopes;
mod secrets;
mod serving;
mod sessions;
mod steps;
mod sync;
mod table_compare;
mod table_import;
mod terminal;
mod times;
mod verify;
mod views;
mod work_logs;
