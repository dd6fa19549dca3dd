//! Incidents that were imported.

use headwater_domain::Row as _;
use headwater_domain::ticket::{incident, incident_assignee};

use super::text;
use crate::database::sql::{LENGTHS, list_of};
use crate::error::{During, StoreError};
use crate::rows::import::IMPORT_ORIGIN;
use crate::{Changes, Owner, Replacement, Store, Transaction};

impl Store {
    /// Scopes of imported incidents that no project maps: table and id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unmapped_incident_scopes(&self) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT DISTINCT incidents.\"table\", incidents.scope_id FROM incidents \
                   WHERE incidents._raw_data_table = ? AND NOT EXISTS \
                   (SELECT 1 FROM project_mapping AS mapped \
                   WHERE mapped.\"table\" = incidents.\"table\" \
                   AND mapped.row_id = incidents.scope_id)";
        let rows = self.query_all(sql, vec![IMPORT_ORIGIN.into()]).await?;
        let read = rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?)));
        let mut scopes: Vec<_> = read.collect::<Result<_, _>>().during(sql)?;
        scopes.sort_unstable();
        Ok(scopes)
    }
}

impl Transaction<'_> {
    /// Removes imported incidents with these ids, and who works on them. Incidents of issues stay.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdraw_incidents(&mut self, ids: &[String]) -> Result<Changes, StoreError> {
        let mut changes = Changes::default();
        for ids in ids.chunks(LENGTHS[0]) {
            let owned = [
                (incident_assignee::Model::table(), "incident_id"),
                (incident::Model::table(), "id"),
            ];
            for (table, column) in owned {
                let (list, mut values) = list_of(ids);
                values.push(IMPORT_ORIGIN.into());
                changes += self
                    .replace(Replacement {
                        table,
                        owner: Owner::Within {
                            condition: format!("{column} IN {list} AND _raw_data_table = ?"),
                            values,
                        },
                        rows: Vec::new(),
                        first: false,
                    })
                    .await?;
            }
        }
        Ok(changes)
    }
}
