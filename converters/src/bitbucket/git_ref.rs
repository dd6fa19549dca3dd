//! Branches and tags, all of a repository at once: which one is the default branch is the
//! repository's to say. While its own row is missing, none is.

use headwater_domain::code::git_ref as domain;
use headwater_domain::id::bitbucket as id;
use headwater_domain::tool::bitbucket::{branch, repository, tag};
use headwater_domain::{Rows, Scope, Sourced};

use crate::conversion::RelatedRow;
use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_branches` and `_tool_bitbucket_tags` to `refs`.
pub struct Refs;

struct Branches;

impl RelatedRow for Branches {
    type Entity = branch::Entity;

    fn driver_key(row: &branch::Model) -> String {
        row.repo_id.clone()
    }
}

struct Tags;

impl RelatedRow for Tags {
    type Entity = tag::Entity;

    fn driver_key(row: &tag::Model) -> String {
        row.repo_id.clone()
    }
}

impl Convert for Refs {
    type Driver = repository::Entity;
    const NAME: &'static str = "refs";
    const KEY: &'static str = "bitbucket_id";
    /// 2: also without the repository's own row.
    const VERSION: u32 = 2;

    fn reads() -> Vec<Read> {
        vec![
            Read::trigger::<repository::Entity>(Self::KEY),
            Read::related::<Branches>("repo_id"),
            Read::related::<Tags>("repo_id"),
        ]
    }

    fn writes() -> Vec<Write> {
        vec![Write::to::<domain::Entity>("repo_id")]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::repository(scope.connection_id, key)
    }

    fn without_driver(scope: &Scope, key: &str) -> Option<repository::Model> {
        Some(repository::Model {
            connection_id: scope.connection_id,
            bitbucket_id: key.to_owned(),
            ..repository::Model::default()
        })
    }

    fn convert(
        scope: &Scope,
        driver: Sourced<repository::Model>,
        related: &Related,
        rows: &mut Rows,
    ) {
        let repository = driver.row;
        let repo_id = id::repository(scope.connection_id, &repository.bitbucket_id);
        for Sourced { row, origin } in related.of::<branch::Entity>(&repository.bitbucket_id) {
            rows.from_origin(origin.clone());
            rows.push(domain::Model {
                id: id::git_ref(&repo_id, &row.name),
                repo_id: repo_id.clone(),
                name: row.name.clone(),
                commit_sha: row.commit_sha.clone(),
                is_default: row.name == repository.main_branch,
                ref_type: "BRANCH".to_owned(),
                created_date: None,
            });
        }
        for Sourced { row, origin } in related.of::<tag::Entity>(&repository.bitbucket_id) {
            let name = format!("refs/tags/{}", row.name);
            rows.from_origin(origin.clone());
            rows.push(domain::Model {
                id: id::git_ref(&repo_id, &name),
                repo_id: repo_id.clone(),
                name,
                commit_sha: row.commit_sha.clone(),
                is_default: false,
                ref_type: "TAG".to_owned(),
                created_date: row.tagged_at,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::{converted, sourced};

    #[test]
    fn a_branch_may_be_the_default_and_a_tag_of_its_name_never_is() {
        let repository = repository::Model {
            connection_id: 1,
            bitbucket_id: "acme/rocket".to_owned(),
            main_branch: "main".to_owned(),
            ..repository::Model::default()
        };
        let branch = |id, name: &str| {
            let row = branch::Model {
                repo_id: "acme/rocket".to_owned(),
                name: name.to_owned(),
                commit_sha: "00aa".to_owned(),
                ..branch::Model::default()
            };
            sourced(id, row)
        };
        let tag = tag::Model {
            repo_id: "acme/rocket".to_owned(),
            name: "main".to_owned(),
            commit_sha: "11bb".to_owned(),
            ..tag::Model::default()
        };
        let related = Related::default()
            .with::<Branches>(vec![branch(2, "main"), branch(3, "feature/nozzle")])
            .with::<Tags>(vec![sourced(4, tag)]);
        assert_snapshot!(converted::<Refs>(repository, &related));
    }
}
