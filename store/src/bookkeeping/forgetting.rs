//! Scopes that are not wanted any more, or never were there: what is remembered of them goes.

use chrono::{DateTime, Utc};
use headwater_domain::Scope;

use crate::Store;
use crate::bookkeeping::renames::BOOKKEEPING;
use crate::error::StoreError;

impl Store {
    /// Forgets a scope: that it is registered, how far its steps have come, which ran, what could
    /// not be processed, and its former names. Its rows must be gone: they stay as they are, and
    /// nothing would remove them any more.
    ///
    /// # Errors
    /// When the database fails, or the scope's lease is lost: then nothing has changed.
    pub async fn forget_scope(&self, scope: &Scope, now: DateTime<Utc>) -> Result<(), StoreError> {
        let page = self.begin(scope, now).await?;
        for table in BOOKKEEPING {
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
