//! Provenance: which raw row a tool or domain row came from.

/// The raw row a row was made of; stored in its `_raw_data_*` columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `_raw_data_params`: the scope, as its raw table names it.
    pub params: String,
    /// `_raw_data_table`: the raw table.
    pub table: String,
    /// `_raw_data_id`: id of the raw row.
    pub id: i64,
}

/// A stored row together with where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<M> {
    /// The row.
    pub row: M,
    /// The raw row it was made of.
    pub origin: Origin,
}
