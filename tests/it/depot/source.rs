//! Depot: a made-up source with the manners of Bitbucket Data Center. Pages by offsets whose
//! `size` counts the page, times in milliseconds, full names of three parts, errors in a list.

use chrono::{DateTime, Utc};
use headwater::config::{ConnectionKind, Entity};
use headwater::source::{Api, Source, To};
use headwater_collectors::{
    Alternative, ApiError, Collect, Collection, Dialect, Endpoint, Key, Listing, Pages, Paging,
    Refresh, Refused, RequestErrorKind, Times, Traits, field,
};
use headwater_converters::{Convert, Read, Related, Write};
use headwater_domain::code::{pull_request as domain, repo};
use headwater_domain::crossdomain::account;
use headwater_domain::headwater::account_mention;
use headwater_domain::headwater::account_profile::Profile;
use headwater_domain::id::Ids;
use headwater_domain::{Item, Rows, Scope, Sourced, Stream, Table};
use headwater_extractors::accounts::AccountTable;
use headwater_extractors::{Extract, json};
use headwater_migrations as change;
use serde::Deserialize;

/// The streams, the account table and the dialect of a depot.
pub(crate) fn depot() -> Source {
    Source::new("depot", ConnectionKind::BitbucketDataCenter, &IDS)
        .api(Api {
            product: "Depot",
            dialect: &DIALECT,
            listing: &LISTING,
        })
        .stream::<Repositories, To<ToRepos>>(None, change::REPOSITORIES)
        .stream::<PullRequests, To<ToPullRequests>>(Entity::CodeReview, change::PULL_REQUESTS)
        .accounts::<ToAccounts>(&ACCOUNTS)
}

const IDS: Ids = Ids {
    repository: "depot:Repo",
    pull_request: "depot:Change",
    issue: "depot:Ticket",
    account: "depot:Person",
    others: &[],
};

const DIALECT: Dialect = Dialect {
    pages: Pages::Offsets,
    times: Times::Milliseconds,
    filter: |_, _, _| None,
    error,
    refusal: |refused: &Refused<'_>| {
        let error = error(refused.body);
        let message = refused.message(&error);
        // Whoever may not look is answered 401, too.
        if refused.status == 401 && error.change.as_deref() == Some("AuthorisationException") {
            return RequestErrorKind::Forbidden { message };
        }
        refused.kind(message, "check the token of the depot")
    },
    user_path: "",
};

/// `{"errors": [{"message": "...", "exceptionName": "..."}]}`.
fn error(body: &[u8]) -> ApiError {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let first = &json["errors"][0];
    let text = |name: &str| first[name].as_str().map(str::to_owned);
    ApiError {
        message: text("message"),
        change: text("exceptionName"),
        ..ApiError::default()
    }
}

const LISTING: Listing = Listing {
    single: Collection::of::<Repositories>,
    of_group: "projects/{parent}/repos",
    groups: "projects",
    query: &[("limit", "2")],
    group: |data| field(data, &["key"]),
    full_name: |data| {
        let (key, slug) = (field(data, &["project", "key"])?, field(data, &["slug"])?);
        Some(format!("{key}/repos/{slug}"))
    },
    lasting_id: |data| field(data, &["id"]),
    is_lasting_id: |key| key.parse::<u64>().is_ok(),
    by_lasting_id: |scope, id| Scope::new(scope.connection_id, format!("ids/repos/{id}")),
    traits: |_| Traits::default(),
};

const LIST: Endpoint = Endpoint {
    dialect: &DIALECT,
    path: "",
    query: &[("limit", "2")],
    left_out: &[],
    paging: Paging::List,
    key: Key(&[Alternative {
        kind: "",
        fields: &[&["id"]],
    }]),
    since: None,
    created: &[],
    newest_first: None,
    ended: None,
    settled: false,
    item_path: None,
    optional: false,
    switch: None,
    refresh: Refresh::EACH_RUN,
    together: None,
    commit_range: None,
    long_keys: false,
    redirects: 0,
    incomparable: &[],
    input: "DepotId",
};

pub(crate) struct Repositories;

impl Stream for Repositories {
    const SOURCE: &'static str = "depot";
    const NAME: &'static str = "repositories";
    const DESCRIBES: &'static str = "One repository.";
}

impl Collect for Repositories {
    const ENDPOINT: Endpoint = Endpoint {
        path: "projects/{scope}",
        query: &[],
        paging: Paging::Single,
        ..LIST
    };
}

impl Extract for Repositories {
    type Payload = RepositoryPayload;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<repository::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: RepositoryPayload, rows: &mut Rows) {
        rows.push(repository::Model {
            connection_id: item.scope.connection_id,
            bitbucket_id: item.scope.full_name.clone(),
            name: payload.name,
            created_date: payload.created_date,
        });
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RepositoryPayload {
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    #[serde(default, deserialize_with = "json::time_or_milliseconds")]
    created_date: Option<DateTime<Utc>>,
}

pub(crate) struct PullRequests;

impl Stream for PullRequests {
    const SOURCE: &'static str = "depot";
    const NAME: &'static str = "pull_requests";
    const DESCRIBES: &'static str = "One pull request.";
}

impl Collect for PullRequests {
    const ENDPOINT: Endpoint = Endpoint {
        path: "projects/{scope}/pull-requests",
        query: &[("state", "ALL"), ("limit", "2")],
        item_path: Some("projects/{scope}/pull-requests/{item}"),
        ..LIST
    };
}

impl Extract for PullRequests {
    type Payload = PullRequestPayload;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<pull_request::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: PullRequestPayload, rows: &mut Rows) {
        let author = payload.author.unwrap_or_default();
        rows.mention(
            item,
            payload.created_date,
            Profile {
                account_id: &author.name,
                display_name: &author.display_name,
                ..Profile::default()
            },
        );
        rows.push(pull_request::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            bitbucket_id: payload.id,
            state: payload.state,
            title: payload.title,
            bitbucket_created_at: payload.created_date,
            closed_at: payload.closed_date,
            author_id: author.name,
        });
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PullRequestPayload {
    #[serde(deserialize_with = "json::id")]
    id: i64,
    #[serde(default, deserialize_with = "json::text")]
    title: String,
    #[serde(default, deserialize_with = "json::text")]
    state: String,
    #[serde(default, deserialize_with = "json::time_or_milliseconds")]
    created_date: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time_or_milliseconds")]
    closed_date: Option<DateTime<Utc>>,
    author: Option<Author>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Author {
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    #[serde(default, deserialize_with = "json::text")]
    display_name: String,
}

const ACCOUNTS: AccountTable = AccountTable {
    table: Table::of::<person::Entity>,
    key: "account_id",
    members: "",
    row: |known, _, rows| {
        rows.push(person::Model {
            connection_id: known.connection_id,
            account_id: known.account_id,
            display_name: known.display_name,
        });
    },
    addresses: &[],
};

pub(crate) struct ToRepos;

impl Convert for ToRepos {
    type Driver = repository::Entity;
    const NAME: &'static str = "repositories";
    const KEY: &'static str = "bitbucket_id";

    fn reads() -> Vec<Read> {
        vec![Read::trigger::<repository::Entity>(Self::KEY)]
    }

    fn writes() -> Vec<Write> {
        vec![Write::to::<repo::Entity>("id")]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        IDS.repository(&Scope::new(scope.connection_id, key))
    }

    fn convert(scope: &Scope, driver: Sourced<repository::Model>, _: &Related, rows: &mut Rows) {
        rows.push(repo::Model {
            id: Self::owner(scope, &driver.row.bitbucket_id),
            name: driver.row.name,
            created_date: driver.row.created_date,
            ..repo::Model::default()
        });
    }
}

pub(crate) struct ToPullRequests;

impl Convert for ToPullRequests {
    type Driver = pull_request::Entity;
    const NAME: &'static str = "pull_requests";
    const KEY: &'static str = "bitbucket_id";

    fn reads() -> Vec<Read> {
        vec![Read::trigger::<pull_request::Entity>(Self::KEY)]
    }

    fn writes() -> Vec<Write> {
        vec![Write::to::<domain::Entity>("id")]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        IDS.pull_request(scope, key.parse().unwrap_or_default())
    }

    fn convert(scope: &Scope, driver: Sourced<pull_request::Model>, _: &Related, rows: &mut Rows) {
        let source = driver.row;
        rows.push(domain::Model {
            id: IDS.pull_request(scope, source.bitbucket_id),
            base_repo_id: IDS.repository(scope),
            pull_request_key: source.bitbucket_id,
            status: source.state.clone(),
            original_status: source.state,
            title: source.title,
            author_id: IDS.account(scope.connection_id, &source.author_id),
            created_date: source.bitbucket_created_at,
            closed_date: source.closed_at,
            ..domain::Model::default()
        });
    }
}

pub(crate) struct ToAccounts;

impl Convert for ToAccounts {
    type Driver = person::Entity;
    const NAME: &'static str = "accounts";
    const KEY: &'static str = "account_id";

    fn reads() -> Vec<Read> {
        vec![Read::trigger::<account_mention::Entity>(Self::KEY)]
    }

    fn writes() -> Vec<Write> {
        vec![Write::to::<account::Entity>("id")]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        IDS.account(scope.connection_id, key)
    }

    fn convert(scope: &Scope, driver: Sourced<person::Model>, _: &Related, rows: &mut Rows) {
        rows.push(account::Model {
            id: IDS.account(scope.connection_id, &driver.row.account_id),
            full_name: driver.row.display_name,
            ..account::Model::default()
        });
    }
}

/// Tables that a migration would make, each with the one of Bitbucket Cloud that it is made like.
/// What an entity does not name stays null.
pub(crate) const TABLES: [(&str, &str); 5] = [
    (
        "_raw_depot_api_repositories",
        "_raw_bitbucket_api_repositories",
    ),
    (
        "_raw_depot_api_pull_requests",
        "_raw_bitbucket_api_pull_requests",
    ),
    ("_tool_depot_repos", "_tool_bitbucket_repos"),
    ("_tool_depot_pull_requests", "_tool_bitbucket_pull_requests"),
    ("_tool_depot_people", "_tool_bitbucket_accounts"),
];

mod repository {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "_tool_depot_repos", comment = "One repository.")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false, comment = "connection")]
        pub(crate) connection_id: i64,
        #[sea_orm(
            primary_key,
            auto_increment = false,
            column_type = "String(StringLen::N(255))",
            comment = "full name"
        )]
        pub(crate) bitbucket_id: String,
        #[sea_orm(column_type = "String(StringLen::N(255))", comment = "name")]
        pub(crate) name: String,
        #[sea_orm(comment = "when it was made (UTC)")]
        pub(crate) created_date: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod pull_request {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(
        table_name = "_tool_depot_pull_requests",
        comment = "One pull request."
    )]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false, comment = "connection")]
        pub(crate) connection_id: i64,
        #[sea_orm(
            primary_key,
            auto_increment = false,
            column_type = "String(StringLen::N(255))",
            comment = "repository"
        )]
        pub(crate) repo_id: String,
        #[sea_orm(primary_key, auto_increment = false, comment = "number")]
        pub(crate) bitbucket_id: i64,
        #[sea_orm(column_type = "String(StringLen::N(255))", comment = "state")]
        pub(crate) state: String,
        #[sea_orm(column_type = "Text", comment = "title")]
        pub(crate) title: String,
        #[sea_orm(comment = "when it was made (UTC)")]
        pub(crate) bitbucket_created_at: Option<DateTime<Utc>>,
        #[sea_orm(comment = "when it was closed (UTC)")]
        pub(crate) closed_at: Option<DateTime<Utc>>,
        #[sea_orm(column_type = "String(StringLen::N(255))", comment = "who made it")]
        pub(crate) author_id: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod person {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "_tool_depot_people", comment = "One person.")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false, comment = "connection")]
        pub(crate) connection_id: i64,
        #[sea_orm(
            primary_key,
            auto_increment = false,
            column_type = "String(StringLen::N(255))",
            comment = "login"
        )]
        pub(crate) account_id: String,
        #[sea_orm(column_type = "String(StringLen::N(255))", comment = "name")]
        pub(crate) display_name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
