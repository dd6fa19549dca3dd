//! Runs that wait for their turn, and the schedules that queue them.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::more("_headwater_runs")
            .varchar("project", 255)
            .varchar("reason", 20)
            .time("due_at")
            .time("cancel_asked_at")
            .text("message")
            .index(&["state", "id"])
            .index(&["project", "id"]),
        NewTable::new("_headwater_schedules")
            .key("project", 255)
            .varchar("expression", 255)
            .varchar("timezone", 100)
            .number("fired")
            .flag("paused")
            .time("next_due_at")
            .time("last_due_at"),
    ]
}
