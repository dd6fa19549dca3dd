//! Repositories: one row each in `repos`, `boards` and `cicd_scopes`, all with the same id.

use headwater_domain::code::repo;
use headwater_domain::devops::cicd_scope;
use headwater_domain::id::bitbucket as id;
use headwater_domain::ticket::board;
use headwater_domain::tool::bitbucket::{environment, repository};
use headwater_domain::{Rows, Scope, Sourced};

use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_repos` to `repos`, `boards` and `cicd_scopes`.
pub struct Repositories;

impl Convert for Repositories {
    type Driver = repository::Entity;
    const NAME: &'static str = "repositories";
    const KEY: &'static str = "bitbucket_id";

    fn reads() -> Vec<Read> {
        vec![
            Read::trigger::<repository::Entity>(Self::KEY),
            // Environments are places of the scope of pipelines.
            Read::trigger::<environment::Entity>("repo_id"),
        ]
    }

    fn writes() -> Vec<Write> {
        vec![
            Write::to::<repo::Entity>("id"),
            Write::to::<board::Entity>("id"),
            Write::to::<cicd_scope::Entity>("id"),
        ]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::repository(scope.connection_id, key)
    }

    fn convert(_: &Scope, driver: Sourced<repository::Model>, _: &Related, rows: &mut Rows) {
        let repository = driver.row;
        let id = id::repository(repository.connection_id, &repository.bitbucket_id);
        let name = repository.bitbucket_id;
        rows.push(board::Model {
            id: id.clone(),
            name: name.clone(),
            description: repository.description.clone(),
            url: format!("{}/issues", repository.html_url),
            created_date: repository.created_date,
            r#type: String::new(),
        });
        rows.push(cicd_scope::Model {
            id: id.clone(),
            name: name.clone(),
            description: repository.description.clone(),
            url: format!("{}/pipelines", repository.html_url),
            created_date: repository.created_date,
            updated_date: None,
        });
        rows.push(repo::Model {
            id,
            name,
            url: repository.html_url,
            description: repository.description,
            owner_id: String::new(),
            language: repository.language,
            forked_from: repository.forked_from,
            created_date: repository.created_date,
            updated_date: repository.updated_date,
            deleted: false,
        });
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::converted;

    #[test]
    fn a_repository_is_a_repository_a_board_and_a_scope_of_pipelines() {
        let row = repository::Model {
            connection_id: 1,
            bitbucket_id: "acme/rocket".to_owned(),
            name: "Rocket 🚀".to_owned(),
            html_url: "https://b/acme/rocket".to_owned(),
            description: "to the moon".to_owned(),
            owner: "Acme Inc.".to_owned(),
            language: "rust".to_owned(),
            created_date: DateTime::from_timestamp(1_700_000_000, 0),
            updated_date: DateTime::from_timestamp(1_790_000_000, 0),
            forked_from: "upstream/rocket".to_owned(),
            is_private: true,
            ..repository::Model::default()
        };
        assert_snapshot!(converted::<Repositories>(row, &Related::default()));
    }
}
