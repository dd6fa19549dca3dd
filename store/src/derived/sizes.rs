//! Sizes of pull requests as git tells them: what is looked at, and what is stored.

use std::collections::HashMap;

use headwater_domain::tool::bitbucket::{pull_request, pull_request_commit, pull_request_size};
use headwater_domain::{Origin, Row as _, Rows, Scope, Sourced, Stream as _, Table};
use sea_orm::DbErr;

use crate::database::transaction::Transaction;
use crate::derived::merges::beginning;
use crate::error::{During, StoreError};
use crate::rows::read::{select, sourced, within};
use crate::{Changes, Owner, Replacement, Store};

/// The step that finds sizes: its checkpoint says whether anything it reads has changed.
pub const STEP: &str = "convert:pull_request_sizes";

/// A pull request as far as its size follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Its number.
    pub number: i64,
    /// True when it was merged.
    pub is_merged: bool,
    /// Hash of the newest commit of its source branch, or how it begins.
    pub head_commit: String,
    /// Hash of its merge commit, or how it begins; empty where none is given.
    pub merge_commit: String,
    /// The raw row that it was made of.
    pub origin: Origin,
}

impl Store {
    /// The pull requests of a scope, by number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pull_request_ends(&self, scope: &Scope) -> Result<Vec<Ends>, StoreError> {
        let table = Table::of::<pull_request::Entity>();
        let (condition, values) = within(table, scope);
        let text = format!(
            "SELECT bitbucket_id, state, head_commit_sha, merge_commit_sha, _raw_data_params, \
             _raw_data_table, _raw_data_id FROM {} WHERE {condition} ORDER BY bitbucket_id",
            table.name
        );
        let rows = self.query_all(&text, values).await?;
        let read = rows.iter().map(|row| {
            let text_at = |place| -> Result<String, DbErr> {
                Ok(row.get::<Option<String>>(place)?.unwrap_or_default())
            };
            Ok(Ends {
                number: row.get(0)?,
                is_merged: text_at(1)? == "MERGED",
                head_commit: text_at(2)?,
                merge_commit: text_at(3)?,
                origin: Origin {
                    params: row.get(4)?,
                    table: row.get(5)?,
                    id: row.get(6)?,
                },
            })
        });
        read.collect::<Result<_, _>>().during(&text)
    }

    /// The hashes of the own commits of these pull requests, by number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn commits_by_pull_request(
        &self,
        scope: &Scope,
        numbers: &[i64],
    ) -> Result<HashMap<i64, Vec<String>>, StoreError> {
        let table = Table::of::<pull_request_commit::Entity>();
        let (condition, values) = within(table, scope);
        let text = format!(
            "SELECT pull_request_id, commit_sha FROM {} WHERE {condition} AND pull_request_id IN ",
            table.name
        );
        let mut own: HashMap<i64, Vec<String>> = HashMap::new();
        for row in self.rows_in(&text, &values, numbers).await? {
            let read = || -> Result<(i64, String), DbErr> { Ok((row.get(0)?, row.get(1)?)) };
            let (number, sha) = read().during(&text)?;
            own.entry(number).or_default().push(sha);
        }
        Ok(own)
    }

    /// How the messages of these commits begin, by hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn beginnings_of_messages(
        &self,
        hashes: &[String],
    ) -> Result<HashMap<String, String>, StoreError> {
        let text = format!(
            "SELECT sha, {} FROM commits WHERE sha IN ",
            beginning("message")
        );
        let rows = self.rows_in(&text, &[], hashes).await?;
        let read = rows.iter().map(|row| {
            let message: Option<String> = row.get(1)?;
            Ok((row.get(0)?, message.unwrap_or_default()))
        });
        let read: Result<_, DbErr> = read.collect();
        read.during(&text)
    }

    /// The sizes that are stored of a scope.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pull_request_sizes(
        &self,
        scope: &Scope,
    ) -> Result<Vec<Sourced<pull_request_size::Model>>, StoreError> {
        let table = pull_request_size::Model::table();
        let (condition, values) = within(table, scope);
        let text = format!("{} WHERE {condition}", select(table));
        let rows = self.query_all(&text, values).await?;
        let read = rows
            .iter()
            .map(|row| sourced::<pull_request_size::Entity>(table, row));
        read.collect::<Result<_, _>>().during(&text)
    }
}

impl Transaction<'_> {
    /// Makes the sizes of the pull requests that came of these raw rows exactly these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_sizes(
        &mut self,
        raw_ids: Vec<i64>,
        sizes: Vec<Sourced<pull_request_size::Model>>,
    ) -> Result<Changes, StoreError> {
        let table = pull_request_size::Model::table();
        let mut rows = Rows::default();
        for size in sizes {
            rows.from_origin(size.origin);
            rows.push(size.row);
        }
        self.replace(Replacement {
            table,
            owner: Owner::RawRows {
                table: pull_request::PullRequests::raw_table(),
                ids: raw_ids,
            },
            rows: rows.take(table),
            first: false,
        })
        .await
    }
}
