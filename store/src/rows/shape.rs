//! What the store must know of a table to write it: columns, key, tracking.

use headwater_domain::Table;
use headwater_domain::table::Layer;

pub(crate) const RAW_DATA_ID: &str = "_raw_data_id";
pub(crate) const RAW_DATA_PARAMS: &str = "_raw_data_params";
pub(crate) const RAW_DATA_TABLE: &str = "_raw_data_table";
pub(crate) const CREATED_AT: &str = "created_at";
pub(crate) const UPDATED_AT: &str = "updated_at";
pub(crate) const CHANGED_SEQ: &str = "changed_seq";

/// A table as an upsert sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
    pub(crate) keys: Vec<String>,
    /// Set when a row is new and then kept.
    pub(crate) set_once: Vec<String>,
    /// A row whose key is there already stays as it is.
    pub(crate) keep_existing: bool,
}

impl Shape {
    /// A bookkeeping table written column by column.
    pub(crate) fn plain(table: &str, columns: &[&str], keys: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            table: table.to_owned(),
            columns: owned(columns),
            keys: owned(keys),
            set_once: Vec::new(),
            keep_existing: false,
        }
    }

    /// A table of rows named by their content: no origin, never changed.
    pub(crate) fn shared(table: &Table) -> Self {
        Self {
            table: table.name.to_owned(),
            columns: table.columns.iter().map(|c| c.name.clone()).collect(),
            keys: keys(table),
            set_once: Vec::new(),
            keep_existing: true,
        }
    }

    /// A tool or domain table with the columns of provenance and tracking.
    pub(crate) fn sourced(table: &Table) -> Self {
        let mut shape = Self::shared(table);
        shape.keep_existing = false;
        // What differs from row to row first, then what many rows have in common.
        let more = [
            RAW_DATA_ID,
            RAW_DATA_PARAMS,
            RAW_DATA_TABLE,
            CREATED_AT,
            UPDATED_AT,
        ];
        shape.columns.extend(more.map(str::to_owned));
        shape.set_once.push(CREATED_AT.to_owned());
        if table.layer() != Layer::Domain {
            shape.columns.push(CHANGED_SEQ.to_owned());
        }
        shape
    }
}

fn keys(table: &Table) -> Vec<String> {
    let keys = table.columns.iter().filter(|column| column.key);
    keys.map(|column| column.name.clone()).collect()
}
