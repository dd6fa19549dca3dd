//! Tags. An annotated one has a message, a tagger and a date of its own.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::tag::{self, Tags};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::branch::Target;
use crate::{Extract, json};

impl Extract for Tags {
    type Payload = Payload;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<tag::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let target = payload.target.unwrap_or_default();
        rows.push(tag::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            name: payload.name,
            commit_sha: target.hash,
            commit_date: target.date,
            message: payload.message,
            tagger: payload.tagger.unwrap_or_default().raw,
            tagged_at: payload.date,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::name::<255, _>")]
    name: String,
    #[serde(default, deserialize_with = "json::text")]
    message: String,
    #[serde(default, deserialize_with = "json::time")]
    date: Option<DateTime<Utc>>,
    tagger: Option<Tagger>,
    target: Option<Target>,
}

#[derive(Debug, Default, Deserialize)]
struct Tagger {
    #[serde(default, deserialize_with = "json::text")]
    raw: String,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::tag::Tags;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    fn tag(payload: &str) -> String {
        extracted::<Tags>("", "v1.0", payload)
    }

    #[test]
    fn an_annotated_tag_tells_who_made_it_and_when() {
        assert_snapshot!(tag(r#"{
                "type": "tag", "name": "v1.0", "message": "First\n",
                "date": "2026-03-02T10:00:00+00:00", "tagger": {"raw": "Ann <ann@acme.example>"},
                "target": {"type": "commit", "hash": "00aa", "date": "2026-03-01T10:00:00+00:00"}
            }"#));
    }

    #[test]
    fn a_lightweight_tag_has_only_its_commit() {
        let nulls = tag(
            r#"{"name": "v1.0", "message": null, "date": null, "tagger": null, "target": null}"#,
        );
        assert_eq!(nulls, tag(r#"{"name": "v1.0"}"#));
        assert_snapshot!(nulls);
    }

    #[test]
    fn a_light_tag_has_nulls_where_an_annotated_one_has_words() {
        let nulls = r#"{"name": "v1", "type": "tag", "message": null, "date": null, "tagger": null,
            "target": {"hash": "00aa", "date": "2024-03-02T10:00:00+00:00"}}"#;
        let missing = r#"{"name": "v1", "target": {"hash": "00aa",
            "date": "2024-03-02T10:00:00+00:00"}}"#;
        let rows = extracted::<Tags>("", "v1", nulls);
        assert_eq!(rows, extracted::<Tags>("", "v1", missing));
        assert!(rows.contains("commit_sha=\"00aa\""), "{rows}");
    }
}
