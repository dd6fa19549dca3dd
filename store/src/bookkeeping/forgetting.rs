//! Scopes that are not wanted any more, or never were there: what is remembered of them goes.

use chrono::{DateTime, Utc};
use headwater_domain::Scope;
use sea_orm::DbBackend;

use crate::Store;
use crate::error::{During, StoreError};

impl Store {
    /// The tables that remember something of a scope: those of Headwater's own that have the
    /// column `params`, whichever change of the schema made them.
    pub(crate) async fn remembering_tables(&self) -> Result<Vec<String>, StoreError> {
        let text = match self.backend() {
            DbBackend::Sqlite => {
                "SELECT tables.name FROM sqlite_master AS tables \
                 JOIN pragma_table_info(tables.name) AS columns \
                 WHERE tables.type = 'table' AND SUBSTR(tables.name, 1, 11) = '_headwater_' \
                 AND columns.name = 'params' ORDER BY 1"
            }
            DbBackend::MySql => {
                "SELECT table_name FROM information_schema.columns \
                 WHERE table_schema = DATABASE() AND SUBSTR(table_name, 1, 11) = '_headwater_' \
                 AND column_name = 'params' ORDER BY 1"
            }
            _ => {
                "SELECT CAST(table_name AS TEXT) FROM information_schema.columns \
                 WHERE table_schema = CURRENT_SCHEMA() \
                 AND SUBSTR(table_name, 1, 11) = '_headwater_' \
                 AND column_name = 'params' ORDER BY 1"
            }
        };
        let rows = self.query_all(text, Vec::new()).await?;
        let read = rows.iter().map(|row| row.get(0));
        read.collect::<Result<_, _>>().during(text)
    }

    /// Forgets a scope: that it is registered, how far its steps have come, which ran, what could
    /// not be processed, and its former names. Its rows must be gone: they stay as they are, and
    /// nothing would remove them any more.
    ///
    /// # Errors
    /// When the database fails, or the scope's lease is lost: then nothing has changed.
    pub async fn forget_scope(&self, scope: &Scope, now: DateTime<Utc>) -> Result<(), StoreError> {
        let remembering = self.remembering_tables().await?;
        let page = self.begin(scope, now).await?;
        for table in remembering {
            let text = format!("DELETE FROM {table} WHERE params = ?");
            page.execute(&text, vec![scope.params().into()]).await?;
        }
        let name = &scope.full_name;
        let text = "DELETE FROM _headwater_scope_aliases \
                    WHERE connection_id = ? AND (full_name = ? OR former_name = ?)";
        let values = vec![
            scope.connection_id.into(),
            name.clone().into(),
            name.clone().into(),
        ];
        page.execute(text, values).await?;
        page.commit().await
    }
}
