//! A metric as it will be: merged pull requests by project, and how long they took.

#![expect(
    unreachable_pub,
    reason = "the model of an entity has to be as public as the entity"
)]

use std::collections::BTreeMap;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_converters::Compute;
use headwater_domain::Rows;
use headwater_domain::code::pull_request;
use headwater_store::derivations::{Input, Written};
use headwater_store::{Store, StoreError};

/// One project.
pub(super) mod project {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "test_projects")]
    pub struct Model {
        #[sea_orm(
            primary_key,
            auto_increment = false,
            column_type = "String(StringLen::N(255))"
        )]
        pub project: String,
        pub merged: i64,
        pub minutes: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One repository of a project.
pub(super) mod project_repository {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "test_project_repositories")]
    pub struct Model {
        #[sea_orm(
            primary_key,
            auto_increment = false,
            column_type = "String(StringLen::N(255))"
        )]
        pub project: String,
        #[sea_orm(
            primary_key,
            auto_increment = false,
            column_type = "String(StringLen::N(255))"
        )]
        pub repo_id: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a migration would make.
pub(super) const TABLES: [&str; 2] = [
    "CREATE TABLE test_projects (project VARCHAR(255) PRIMARY KEY, merged BIGINT, minutes BIGINT, \
     _raw_data_params VARCHAR(255), _raw_data_table VARCHAR(255), _raw_data_id BIGINT, \
     created_at TIMESTAMP, updated_at TIMESTAMP)",
    "CREATE TABLE test_project_repositories (project VARCHAR(255), repo_id VARCHAR(255), \
     _raw_data_params VARCHAR(255), _raw_data_table VARCHAR(255), _raw_data_id BIGINT, \
     created_at TIMESTAMP, updated_at TIMESTAMP, PRIMARY KEY (project, repo_id))",
];

/// How long merged pull requests of a project took.
pub(super) struct LeadTimes;

impl Compute for LeadTimes {
    const NAME: &'static str = "lead_times";
    const NEEDS: &'static [&'static [&'static str]] = &[&["pull_requests"]];

    fn reads() -> Vec<Input> {
        vec![
            Input::key::<project_repository::Entity>("project"),
            Input::through::<pull_request::Entity, project_repository::Entity>(
                "base_repo_id",
                "repo_id",
                "project",
            )
            .of_columns(&["base_repo_id", "status", "created_date", "merged_date"]),
        ]
    }

    fn writes() -> Vec<Written> {
        vec![Written::by::<project::Entity>("project")]
    }

    fn compute<'a>(
        store: &'a Store,
        keys: &'a [String],
        rows: &'a mut Rows,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let computed = async move {
            let of = store
                .rows_holding::<project_repository::Entity>("project", keys)
                .await?;
            let repositories: Vec<String> = of.iter().map(|it| it.repo_id.clone()).collect();
            let pull_requests = store
                .rows_holding::<pull_request::Entity>("base_repo_id", &repositories)
                .await?;
            let mut projects: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
            for row in &of {
                let own = pull_requests
                    .iter()
                    .filter(|it| it.base_repo_id == row.repo_id);
                for merged in own.filter(|it| it.status == "MERGED") {
                    let took = merged.merged_date.zip(merged.created_date);
                    let took = took.map_or(0, |(end, start)| (end - start).num_minutes());
                    let sums = projects.entry(&row.project).or_default();
                    sums.0 += 1;
                    sums.1 += took;
                }
            }
            for (name, (merged, minutes)) in projects {
                rows.push(project::Model {
                    project: name.to_owned(),
                    merged,
                    minutes,
                });
            }
            Ok(())
        };
        computed.boxed()
    }
}
