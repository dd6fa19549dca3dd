//! Columns that are the same in every table, and plain names of types: what `tables` shows.

use sea_orm::sea_query::ColumnType;

/// Columns of every raw table: name, type, key, what it holds.
pub const RAW_COLUMNS: [(&str, &str, &str, &str); 12] = [
    (
        "id",
        "number",
        "key",
        "given when the item is first stored, and kept",
    ),
    (
        "params",
        "text",
        "",
        "the scope: {\"ConnectionId\":1,\"FullName\":\"workspace/slug\"}",
    ),
    ("data", "bytes", "", "the item's JSON as received"),
    (
        "url",
        "text",
        "",
        "address of the list it is in, without page and watermark",
    ),
    (
        "input",
        "text",
        "",
        "JSON of what the request was made for; null for a list without a parent",
    ),
    (
        "created_at",
        "time",
        "",
        "server time at which the item was last seen to change (UTC)",
    ),
    (
        "parent",
        "text",
        "unique",
        "natural key of the parent item; with params and item_key unique",
    ),
    (
        "item_key",
        "text",
        "unique",
        "natural key of the item among its siblings",
    ),
    (
        "content_hash",
        "text",
        "",
        "hash of data; an equal one means nothing changed",
    ),
    (
        "changed_seq",
        "number",
        "",
        "sequence of the scope at the item's last change",
    ),
    (
        "seen_walk",
        "number",
        "",
        "number of the last complete walk that saw the item",
    ),
    (
        "child_counts",
        "text",
        "",
        "what the item says of its children's numbers, such as comment_count=3",
    ),
];

/// Columns that end every tool and domain table: name, type, what it holds.
pub const TRACKING_COLUMNS: [(&str, &str, &str); 7] = [
    (
        "_raw_data_params",
        "text",
        "scope of the raw row it was made of",
    ),
    (
        "_raw_data_table",
        "text",
        "table of the raw row it was made of",
    ),
    ("_raw_data_id", "number", "id of the raw row it was made of"),
    ("_raw_data_remark", "text", "empty; there for compatibility"),
    (
        "created_at",
        "time",
        "when the row was first written here (UTC)",
    ),
    (
        "updated_at",
        "time",
        "when the row was last written here (UTC)",
    ),
    (
        "changed_seq",
        "number",
        "sequence of the scope at the row's last change",
    ),
];

/// The name of a type as people say it.
#[must_use]
pub fn type_name(kind: &ColumnType) -> &'static str {
    match kind {
        ColumnType::BigInteger | ColumnType::Integer => "number",
        ColumnType::Boolean => "truth",
        ColumnType::Double | ColumnType::Float => "decimal",
        ColumnType::TimestampWithTimeZone => "time",
        ColumnType::Blob => "bytes",
        _ => "text",
    }
}
