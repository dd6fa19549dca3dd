//! What a database holds as a whole, and how it is emptied.

use sea_orm::{ConnectionTrait as _, DbBackend};

use crate::Store;
use crate::error::{During, StoreError};

/// Where a server on this machine is that only this machine reaches.
const LOOPBACK: &str = "http://127.0.0.1:";

/// What a database holds, as far as raw rows say where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// No scope is known.
    Nothing,
    /// All of it was read from a server on this machine.
    OfThisMachine,
    /// Something was read or imported from elsewhere.
    OfElsewhere,
}

impl Store {
    /// Where what is stored comes from, by the addresses in these raw tables.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contents(&self, raw_tables: &[&str]) -> Result<Contents, StoreError> {
        if self.scopes().await?.is_empty() {
            return Ok(Contents::Nothing);
        }
        let mut from_here = 0;
        for table in raw_tables {
            let text = format!(
                "SELECT COUNT(CASE WHEN url LIKE '{LOOPBACK}%' THEN 1 END), COUNT(*) FROM {table}"
            );
            let rows = self.query_all(&text, Vec::new()).await?;
            for row in rows {
                let here: i64 = row.get(0).during(&text)?;
                let all: i64 = row.get(1).during(&text)?;
                if here < all {
                    return Ok(Contents::OfElsewhere);
                }
                from_here += here;
            }
        }
        Ok(if from_here > 0 {
            Contents::OfThisMachine
        } else {
            Contents::OfElsewhere
        })
    }

    /// How many rows a table has.
    ///
    /// # Errors
    /// When there is no such table, or the database fails.
    pub async fn count_rows(&self, table: &str) -> Result<u64, StoreError> {
        let text = format!("SELECT COUNT(*) FROM {table}");
        let rows = self.query_all(&text, Vec::new()).await?;
        let count = rows.first().map_or(Ok(0), |row| row.get::<i64>(0));
        let count = count.during(&text)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Removes these views and tables, all tables of Headwater's own, and the history of the
    /// schema, so that the next opening begins with nothing. Tables of others stay.
    ///
    /// # Errors
    /// When the database fails. What was removed until then is gone.
    pub async fn drop_tables(&self, views: &[&str], tables: &[&str]) -> Result<(), StoreError> {
        for view in views {
            self.drop(&format!("DROP VIEW IF EXISTS {view}")).await?;
        }
        let own = self.own_tables().await?;
        let own = own.iter().map(String::as_str);
        let history = std::iter::once("seaql_migrations");
        for table in tables.iter().copied().chain(own).chain(history) {
            self.drop(&format!("DROP TABLE IF EXISTS {table}")).await?;
        }
        Ok(())
    }

    async fn drop(&self, text: &str) -> Result<(), StoreError> {
        let done = self.connection().execute_unprepared(text).await;
        done.map(|_| ()).during(text)
    }

    /// Tables whose names begin as only Headwater's do.
    async fn own_tables(&self) -> Result<Vec<String>, StoreError> {
        let text = match self.backend() {
            DbBackend::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' \
                 AND SUBSTR(name, 1, 11) = '_headwater_' ORDER BY 1"
            }
            DbBackend::MySql => {
                "SELECT table_name FROM information_schema.tables \
                 WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' \
                 AND SUBSTR(table_name, 1, 11) = '_headwater_' ORDER BY 1"
            }
            _ => {
                "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
                 WHERE table_schema = CURRENT_SCHEMA() AND table_type = 'BASE TABLE' \
                 AND SUBSTR(table_name, 1, 11) = '_headwater_' ORDER BY 1"
            }
        };
        let rows = self.query_all(text, Vec::new()).await?;
        let read = rows.iter().map(|row| row.get(0));
        read.collect::<Result<_, _>>().during(text)
    }
}
