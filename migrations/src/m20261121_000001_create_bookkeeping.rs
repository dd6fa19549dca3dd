//! What Headwater remembers of its own work.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("_headwater_scopes")
            .key_number("connection_id")
            .key("full_name", 255)
            .varchar("params", 255)
            .number("seq")
            .time("data_after")
            .flag("range_known")
            .time("source_gone_at")
            .time("registered_at")
            .unique(&["params"]),
        NewTable::new("_headwater_checkpoints")
            .key("params", 255)
            .key("step", 100)
            .number("seq")
            .number("row_id")
            .varchar("rules", 255),
        NewTable::new("_headwater_walks")
            .key("params", 255)
            .key("stream", 100)
            .time("since")
            .time("data_after")
            .flag("complete")
            .number("walk")
            .text("resume_at")
            .text("resume_query")
            .time("resume_since"),
        NewTable::new("_headwater_fetched_children")
            .key("params", 255)
            .key("stream", 100)
            .key("parent", 255)
            .number("parent_seq")
            .clustered(),
        NewTable::new("_headwater_work")
            .key("params", 255)
            .key("step", 100)
            .key("row_key", 255)
            .clustered(),
        NewTable::new("_headwater_deleted_rows")
            .key("params", 255)
            .key("table_name", 100)
            .key_number("seq")
            .key("row_key", 400),
        NewTable::new("_headwater_dead_letters")
            .key("params", 255)
            .key("stage", 20)
            .key("stream", 100)
            .key("item", 255)
            .number("raw_id")
            .text("path")
            .text("message")
            .number("attempts")
            .time("first_at")
            .time("last_at"),
        NewTable::new("_headwater_runs")
            .serial("id")
            .varchar("command", 100)
            .time("started_at")
            .time("finished_at")
            .varchar("state", 20),
        NewTable::new("_headwater_steps")
            .serial("id")
            .number("run_id")
            .varchar("params", 255)
            .varchar("stage", 20)
            .varchar("stream", 100)
            .varchar("state", 20)
            .number("items")
            .number("written")
            .number("removed")
            .number("requests")
            .time("started_at")
            .time("finished_at")
            .text("message")
            .index(&["params", "stage", "stream", "run_id"]),
    ]
}
