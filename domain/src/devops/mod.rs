//! Domain tables: devops.

pub mod cicd_scope;
