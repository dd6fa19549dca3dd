//! Deployments that tags are, of the repositories of projects that say which tags are releases.

use std::collections::HashMap;

use headwater_domain::devops::cicd_deployment_commit;
use headwater_domain::id;
use headwater_store::measuring::DatedTag;
use headwater_store::{Changes, Store, StoreError, Transaction};
use regex::Regex;

use super::Projects;
use crate::{OF_TAGS, TAG_PREFIX};

/// The rows of `cicd_deployment_commits` that tags are.
pub struct Releases {
    scopes: Vec<String>,
    rows: Vec<cicd_deployment_commit::Model>,
}

impl Releases {
    /// Those of repositories whose ids these CI/CD scopes have: every tag that the pattern of a
    /// project matches which maps the scope. A tag of which no time is known is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(
        store: &Store,
        scopes: Vec<String>,
        projects: &Projects,
    ) -> Result<Self, StoreError> {
        let mut rows = Vec::new();
        for scope in scopes
            .iter()
            .filter(|_| projects.release_tags().next().is_some())
        {
            let names = store.projects_mapping("cicd_scopes", scope).await?;
            let patterns: Vec<Regex> = names
                .iter()
                .filter_map(|name| projects.rules_of(name).release_tags)
                .collect();
            if !patterns.is_empty() {
                rows.extend(releases_of(store, scope, &patterns).await?);
            }
        }
        // Which one came before is another step's: what is stored stays.
        let mut previous: HashMap<(String, String), String> = HashMap::new();
        if !rows.is_empty() {
            let stored = store.deployments_of(&scopes).await?.into_iter();
            previous.extend(stored.map(|row| ((row.id, row.commit_sha), row.previous)));
        }
        for row in &mut rows {
            let key = (row.id.clone(), row.commit_sha.clone());
            row.prev_success_deployment_commit_id = previous.remove(&key).unwrap_or_default();
        }
        Ok(Self { scopes, rows })
    }

    /// Makes the tables hold these deployments of the scopes, and no other ones of tags. `origin`
    /// is what the rows say in `_raw_data_table`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write(
        self,
        page: &mut Transaction<'_>,
        origin: &str,
    ) -> Result<Changes, StoreError> {
        page.renew_releases(&self.scopes, (origin, OF_TAGS), self.rows)
            .await
    }
}

async fn releases_of(
    store: &Store,
    repo_id: &str,
    patterns: &[Regex],
) -> Result<Vec<cicd_deployment_commit::Model>, StoreError> {
    let tags = store.dated_tags_of(repo_id).await?;
    let repo_url = store.address_of(repo_id).await?;
    let released = tags.into_iter().filter_map(|tag| {
        let name = tag.name.strip_prefix(TAG_PREFIX).unwrap_or(&tag.name);
        let is_release = patterns.iter().any(|it| it.is_match(name));
        (is_release && tag.at.is_some()).then(|| release(repo_id, &repo_url, tag))
    });
    Ok(released.collect())
}

fn release(repo_id: &str, repo_url: &str, tag: DatedTag) -> cicd_deployment_commit::Model {
    let id = id::compared_ref(&tag.id);
    let name = tag.name.strip_prefix(TAG_PREFIX).unwrap_or(&tag.name);
    cicd_deployment_commit::Model {
        cicd_deployment_id: id.clone(),
        id,
        cicd_scope_id: repo_id.to_owned(),
        name: name.to_owned(),
        display_title: name.to_owned(),
        result: "SUCCESS".to_owned(),
        status: "DONE".to_owned(),
        environment: "PRODUCTION".to_owned(),
        created_date: tag.at,
        started_date: tag.at,
        finished_date: tag.at,
        commit_sha: tag.commit_sha,
        ref_name: id::shortened_ref(name),
        repo_id: repo_id.to_owned(),
        repo_url: repo_url.to_owned(),
        subtask_name: OF_TAGS.to_owned(),
        ..cicd_deployment_commit::Model::default()
    }
}
