//! What is known of an account, and from where.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::account_profile;
use headwater_domain::{Origin, Table};

use crate::Store;
use crate::error::{During, StoreError};
use crate::page::Page;
use crate::read::model;

/// A distinct description of an account with the newest item that gives it.
#[derive(Clone, Debug)]
pub struct Mentioned {
    /// The description.
    pub profile: account_profile::Model,
    /// Server time at which that item was last seen to change (UTC).
    pub seen_at: Option<DateTime<Utc>>,
    /// Stream of that item.
    pub source: String,
    /// Key of that item.
    pub item: String,
    /// The raw row of that item.
    pub origin: Origin,
}

impl Store {
    /// Every description of an account that some stored item still gives, and the ids of those
    /// that none gives any more.
    pub async fn mentions_of(
        &self,
        connection_id: i64,
        account_id: &str,
    ) -> Result<(Vec<Mentioned>, Vec<String>), StoreError> {
        let table = Table::of::<account_profile::Entity>();
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        let text = format!(
            "SELECT {} FROM {} WHERE connection_id = ? AND account_id = ? ORDER BY profile_id",
            columns.join(", "),
            table.name
        );
        let values = vec![connection_id.into(), account_id.into()];
        let mut mentioned = Vec::new();
        let mut unused = Vec::new();
        for row in self.query_all(&text, values).await? {
            let profile = model::<account_profile::Entity>(table, &row).during(&text)?;
            match self.newest_mention(&profile).await? {
                Some((seen_at, source, item, origin)) => mentioned.push(Mentioned {
                    profile,
                    seen_at,
                    source,
                    item,
                    origin,
                }),
                None => unused.push(profile.profile_id),
            }
        }
        Ok((mentioned, unused))
    }

    async fn newest_mention(
        &self,
        profile: &account_profile::Model,
    ) -> Result<Option<(Option<DateTime<Utc>>, String, String, Origin)>, StoreError> {
        let text = "SELECT seen_at, source, item, _raw_data_params, _raw_data_table, _raw_data_id \
                    FROM _headwater_account_mentions \
                    WHERE connection_id = ? AND account_id = ? AND profile_id = ? \
                    ORDER BY seen_at DESC, source DESC, item DESC LIMIT 1";
        let values = vec![
            profile.connection_id.into(),
            profile.account_id.clone().into(),
            profile.profile_id.clone().into(),
        ];
        let rows = self.query_all(text, values).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let read = || {
            let origin = Origin {
                params: row.get(3)?,
                table: row.get(4)?,
                id: row.get(5)?,
            };
            let first = row.get(0)?;
            Ok((
                first,
                row.get(1)?,
                row.get(2)?,
                origin,
            ))
        };
        read().map(Some).during("reading mentions")
    }
}

impl Page<'_> {
    /// Forgets descriptions of an account that no item gives any more.
    pub async fn forget_profiles(
        &self,
        connection_id: i64,
        account_id: &str,
        profile_ids: &[String],
    ) -> Result<(), StoreError> {
        for profile_id in profile_ids {
            let text = "DELETE FROM _headwater_account_profiles \
                        WHERE connection_id = ? AND account_id = ? AND profile_id = ?";
            let values = vec![
                connection_id.into(),
                account_id.into(),
                profile_id.clone().into(),
            ];
            self.execute(text, values).await?;
        }
        Ok(())
    }
}
