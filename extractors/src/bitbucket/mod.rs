//! Extraction of Bitbucket Cloud: one file per entity, payloads as the API sends them today.
//!
//! The API document and its recordings disagree in places, so every field may be missing or null.

mod account;
mod branch;
mod commit;
mod deployment;
mod environment;
mod issue;
mod issue_change;
mod issue_comment;
mod pipeline;
mod pipeline_step;
mod project;
mod pull_request;
mod pull_request_activity;
mod pull_request_comment;
mod pull_request_commit;
mod pull_request_diffstat;
mod pull_request_status;
mod repository;
mod tag;
mod workspace;
mod workspace_member;

pub use account::ACCOUNTS;
pub(crate) use account::User;

use serde::Deserialize;

use crate::json;

/// `{"href": "..."}`
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Link {
    #[serde(default, deserialize_with = "json::text")]
    pub(crate) href: String,
}

/// The links of an object, as far as they are used.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Links {
    html: Option<Link>,
    avatar: Option<Link>,
    #[serde(rename = "self")]
    itself: Option<Link>,
}

impl Links {
    pub(crate) fn html(links: Option<Self>) -> String {
        links.and_then(|l| l.html).unwrap_or_default().href
    }

    /// Address in the API.
    pub(crate) fn itself(&self) -> String {
        let link = self.itself.as_ref();
        link.map(|link| link.href.clone()).unwrap_or_default()
    }
}

/// `{"raw": "..."}`
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Content {
    #[serde(default, deserialize_with = "json::text")]
    pub(crate) raw: String,
}

/// `{"name": "..."}`
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Named {
    #[serde(default, deserialize_with = "json::text")]
    pub(crate) name: String,
}

/// `{"type": "..."}`
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Typed {
    #[serde(default, rename = "type", deserialize_with = "json::text")]
    pub(crate) kind: String,
}

/// `{"hash": "..."}`
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Hashed {
    #[serde(default, deserialize_with = "json::text")]
    pub(crate) hash: String,
}

/// `{"uuid": "{...}"}`
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Uuid {
    #[serde(default, deserialize_with = "json::short_text::<127, _>")]
    pub(crate) uuid: String,
}
