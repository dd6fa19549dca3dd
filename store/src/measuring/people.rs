//! Accounts, authors and users: what people are joined from, and who they are.

use chrono::{DateTime, Utc};
use headwater_domain::crossdomain::{user, user_account};
use headwater_domain::{Row, Scope};

use super::text;
use crate::error::{During, StoreError};
use crate::{Changes, Owner, Replacement, Store, Transaction};

/// What rows made by joining say in `_raw_data_table`.
pub const PEOPLE_ORIGIN: &str = "people";

/// One account that may be somebody's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredAccount {
    /// `id`.
    pub id: String,
    /// `email`.
    pub email: String,
    /// `full_name`.
    pub full_name: String,
    /// `is_bot`.
    pub is_bot: bool,
}

/// How many commits one author has under one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// `author_id`: an account, or the address.
    pub id: String,
    /// `author_email`.
    pub email: String,
    /// `author_name`.
    pub name: String,
    /// How many.
    pub commits: i64,
}

/// Users and their accounts that joining did not make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenPeople {
    /// The users.
    pub users: Vec<user::Model>,
    /// Their accounts.
    pub accounts: Vec<user_account::Model>,
}

impl Store {
    /// All accounts, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts_to_join(&self) -> Result<Vec<StoredAccount>, StoreError> {
        let sql = "SELECT id, email, full_name, is_bot FROM accounts ORDER BY id";
        let rows = self.query_all(sql, Vec::new()).await?;
        let read = rows.iter().map(|row| {
            Ok(StoredAccount {
                id: text(row, 0)?,
                email: text(row, 1)?,
                full_name: text(row, 2)?,
                is_bot: row.get::<Option<bool>>(3)?.unwrap_or_default(),
            })
        });
        read.collect::<Result<_, _>>().during(sql)
    }

    /// All authors of commits with their addresses and names. Reads all commits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn authors(&self) -> Result<Vec<Author>, StoreError> {
        let sql = "SELECT author_id, author_email, author_name, COUNT(*) FROM commits \
                   WHERE author_id <> '' AND author_email <> '' \
                   GROUP BY author_id, author_email, author_name \
                   ORDER BY author_id, author_email, author_name";
        let rows = self.query_all(sql, Vec::new()).await?;
        let read = rows.iter().map(|row| {
            Ok(Author {
                id: text(row, 0)?,
                email: text(row, 1)?,
                name: text(row, 2)?,
                commits: row.get(3)?,
            })
        });
        read.collect::<Result<_, _>>().during(sql)
    }

    /// Users and accounts of users that were imported, or written by another program.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn given_people(&self) -> Result<GivenPeople, StoreError> {
        let of_others = "_raw_data_table IS NULL OR _raw_data_table <> ?";
        let sql = format!("SELECT id, email, name FROM users WHERE {of_others} ORDER BY id");
        let rows = self.query_all(&sql, vec![PEOPLE_ORIGIN.into()]).await?;
        let users = rows.iter().map(|row| {
            Ok(user::Model {
                id: text(row, 0)?,
                email: text(row, 1)?,
                name: text(row, 2)?,
            })
        });
        let users = users.collect::<Result<_, _>>().during(&sql)?;
        let sql = format!(
            "SELECT account_id, user_id FROM user_accounts WHERE {of_others} ORDER BY account_id"
        );
        let rows = self.query_all(&sql, vec![PEOPLE_ORIGIN.into()]).await?;
        let accounts = rows.iter().map(|row| {
            Ok(user_account::Model {
                account_id: text(row, 0)?,
                user_id: text(row, 1)?,
            })
        });
        let accounts = accounts.collect::<Result<_, _>>().during(&sql)?;
        Ok(GivenPeople { users, accounts })
    }

    /// Makes these the users, and accounts of users, that joining made. None of them has the key
    /// of one that it did not make.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_people(
        &self,
        users: Vec<user::Model>,
        accounts: Vec<user_account::Model>,
        now: DateTime<Utc>,
    ) -> Result<Changes, StoreError> {
        let mut transaction = self.begin(&Scope::everywhere(), now).await?;
        let mut changes = transaction.keep_joined(users).await?;
        changes += transaction.keep_joined(accounts).await?;
        transaction.commit().await?;
        Ok(changes)
    }
}

impl Transaction<'_> {
    async fn keep_joined<R: Row>(&mut self, rows: Vec<R>) -> Result<Changes, StoreError> {
        let mut made = self.rows_of_step(PEOPLE_ORIGIN);
        for row in rows {
            made.push(row);
        }
        let rows = made.take(R::table());
        self.replace(Replacement {
            table: R::table(),
            owner: Owner::Within {
                condition: "_raw_data_table = ?".to_owned(),
                values: vec![PEOPLE_ORIGIN.into()],
            },
            rows,
            first: false,
        })
        .await
    }
}
