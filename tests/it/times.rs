//! Times of a file, as other programs see them.

use headwater_store::query::Cell;

use crate::lake::{How, Lake, tiny};

impl Lake {
    /// Rows of two texts.
    async fn pairs(&self, sql: &str) -> Vec<(String, String)> {
        let answer = self.ask(sql).await;
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        let rows = answer.rows.iter();
        rows.map(|row| (text(&row[0]), text(&row[1]))).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_time_of_a_file_is_declared_as_one_and_written_as_sqlite_reads_it() {
    let simulator = tiny().await;
    let lake = Lake::beside(&simulator).await;
    lake.sync(How::default()).await;
    let columns = |condition: &str| {
        format!(
            "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND m.name <> 'seaql_migrations' AND {condition}"
        )
    };
    let shape = "GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][ T][0-9][0-9]:[0-9][0-9]:\
                 [0-9][0-9].[0-9][0-9][0-9]+00:00'";
    let mut times = 0;
    for (table, column) in lake.pairs(&columns("c.type = 'timestamp'")).await {
        let of = format!("FROM \"{table}\" WHERE \"{column}\"");
        let wrong = format!(
            "SELECT COUNT(*) {of} IS NOT NULL AND (datetime(\"{column}\") IS NULL \
             OR \"{column}\" NOT {shape} OR datetime(\"{column}\") > \"{column}\" \
             OR date(\"{column}\") > \"{column}\")"
        );
        assert_eq!(lake.number(&wrong).await, 0, "{table}.{column}");
        times += lake
            .number(&format!("SELECT COUNT(*) {of} IS NOT NULL"))
            .await;
    }
    assert!(times > 500, "{times} times are too few to prove anything");
    let others = columns("c.type NOT IN ('timestamp', 'bigint', 'integer', 'boolean', 'blob')");
    for (table, column) in lake.pairs(&others).await {
        let undeclared = format!("SELECT COUNT(*) FROM \"{table}\" WHERE \"{column}\" {shape}");
        assert_eq!(
            lake.number(&undeclared).await,
            0,
            "{table}.{column} holds times"
        );
    }
}
