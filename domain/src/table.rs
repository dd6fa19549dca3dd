//! What a table looks like, read from its entity; rows as plain values.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use chrono::DateTime;
use sea_orm::sea_query::{ColumnType, StringLen};
use sea_orm::{
    ActiveModelTrait, DbBackend, EntityTrait, IdenStatic, IntoActiveModel, Iterable, ModelTrait,
    Schema, Value,
};

/// The layer of a table, which its name shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// `_raw_*`: items as received.
    Raw,
    /// `_tool_*`: typed, in the source's words.
    Tool,
    /// `_headwater_*`: what Headwater itself remembers.
    Bookkeeping,
    /// Everything else: the same for every source.
    Domain,
}

/// One column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name in the database.
    pub name: String,
    /// Type, as the entity declares it.
    pub column_type: ColumnType,
    /// What the column holds; starts with a small letter, no full stop.
    pub describes: String,
    /// Part of the primary key.
    pub key: bool,
    /// Every row has a value: its type in the entity is no `Option`.
    pub required: bool,
}

/// One tool or domain table. Columns of provenance and change tracking are not listed here:
/// every table has the same, and the store adds them.
#[derive(Clone, Debug)]
pub struct Table {
    /// Name in the database.
    pub name: &'static str,
    /// What one row is, as a sentence.
    pub describes: String,
    /// The columns in declared order.
    pub columns: Vec<Column>,
}

impl Column {
    /// How many characters the column holds; none when there is no limit, or it is no text.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        match self.column_type {
            ColumnType::String(StringLen::N(width)) => usize::try_from(width).ok(),
            _ => None,
        }
    }

    /// What a new row holds where nothing is known: what the entity's default has.
    #[must_use]
    pub fn default_value(&self) -> Value {
        let required = self.required;
        match self.column_type {
            ColumnType::BigInteger | ColumnType::Integer => Value::BigInt(required.then_some(0)),
            ColumnType::Boolean => Value::Bool(required.then_some(false)),
            ColumnType::Double | ColumnType::Float => Value::Double(required.then_some(0.0)),
            ColumnType::TimestampWithTimeZone => {
                Value::ChronoDateTimeUtc(required.then(DateTime::default))
            }
            _ => Value::String(required.then(String::new)),
        }
    }
}

impl Table {
    /// The table of an entity.
    #[must_use]
    pub fn of<E>() -> &'static Self
    where
        E: EntityTrait,
    {
        static TABLES: OnceLock<RwLock<HashMap<TypeId, &'static Table>>> = OnceLock::new();
        let tables = TABLES.get_or_init(RwLock::default);
        let id = TypeId::of::<E>();
        if let Ok(known) = tables.read()
            && let Some(table) = known.get(&id)
        {
            return table;
        }
        // One leak per entity, so that a table can be named by reference everywhere.
        let table: &'static Self = Box::leak(Box::new(Self::describe::<E>()));
        if let Ok(mut known) = tables.write() {
            return known.entry(id).or_insert(table);
        }
        table
    }

    fn describe<E: EntityTrait>() -> Self {
        let entity = E::default();
        let statement = Schema::new(DbBackend::Sqlite).create_table_from_entity(entity);
        let keys: Vec<&str> = E::PrimaryKey::iter().map(|key| key.as_str()).collect();
        let columns = statement
            .get_columns()
            .iter()
            .map(|column| {
                let name = column.get_column_name();
                Column {
                    key: keys.contains(&name.as_str()),
                    column_type: column
                        .get_column_type()
                        .cloned()
                        .unwrap_or(ColumnType::Text),
                    describes: column.get_column_spec().comment.clone().unwrap_or_default(),
                    required: column.get_column_spec().nullable == Some(false),
                    name,
                }
            })
            .collect();
        Self {
            name: E::default().as_str(),
            describes: statement.get_comment().cloned().unwrap_or_default(),
            columns,
        }
    }

    /// The layer, which the name shows.
    #[must_use]
    pub fn layer(&self) -> Layer {
        Layer::of(self.name)
    }

    /// True for tables whose rows carry a `changed_seq`.
    #[must_use]
    pub fn is_tracked(&self) -> bool {
        self.layer() != Layer::Domain
    }

    /// Places of the key columns among the columns.
    pub fn key_positions(&self) -> impl Iterator<Item = usize> + '_ {
        let keys = self.columns.iter().enumerate().filter(|(_, c)| c.key);
        keys.map(|(position, _)| position)
    }

    /// Place of a column, by name.
    #[must_use]
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }

    /// True when the table has this column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.position(column).is_some()
    }
}

impl Layer {
    /// The layer of a table, which its name shows.
    #[must_use]
    pub fn of(table: &str) -> Self {
        if table.starts_with("_raw_") {
            Self::Raw
        } else if table.starts_with("_tool_") {
            Self::Tool
        } else if table.starts_with("_headwater_") {
            Self::Bookkeeping
        } else {
            Self::Domain
        }
    }
}

/// A row of some table that can be taken apart into values.
pub trait Row: Sized + Send + 'static {
    /// The table it belongs to.
    fn table() -> &'static Table;
    /// Its values, in the order of the table's columns.
    fn into_values(self) -> Vec<Value>;
}

impl<M> Row for M
where
    M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel> + Send + 'static,
{
    fn table() -> &'static Table {
        Table::of::<M::Entity>()
    }

    fn into_values(self) -> Vec<Value> {
        let mut active = self.into_active_model();
        <M::Entity as EntityTrait>::Column::iter()
            .map(|column| {
                // A model sets every column, so nothing is left to default.
                let value = active.take(column).into_value();
                value.unwrap_or(Value::String(None))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::repo;
    use crate::tool::bitbucket::pull_request_reviewer;

    #[test]
    fn a_table_is_read_from_its_entity_once() {
        let table = Table::of::<pull_request_reviewer::Entity>();
        assert!(std::ptr::eq(
            table,
            Table::of::<pull_request_reviewer::Entity>()
        ));
        assert_eq!(table.name, "_tool_bitbucket_pr_reviewers");
        let keys: Vec<&str> = table
            .key_positions()
            .map(|place| table.columns[place].name.as_str())
            .collect();
        assert_eq!(
            keys,
            ["connection_id", "repo_id", "pull_request_id", "account_id"]
        );
        assert_eq!(table.position("role"), Some(5));
        assert!(
            !table.has("changed_seq"),
            "tracking is no column of its own"
        );
    }

    #[test]
    fn the_default_values_of_a_table_are_those_of_its_entity() {
        fn assert_defaults<M: Row + Default>() {
            let columns = M::table().columns.iter();
            let defaults: Vec<Value> = columns.map(Column::default_value).collect();
            assert_eq!(defaults, M::default().into_values(), "{}", M::table().name);
        }
        assert_defaults::<repo::Model>();
        assert_defaults::<crate::ticket::incident::Model>();
        assert_defaults::<crate::devops::cicd_deployment_commit::Model>();
        assert_defaults::<crate::metrics::dora_benchmark::Model>();
        assert_defaults::<crate::metrics::calendar_month::Model>();
        assert_defaults::<crate::metrics::project_deployment::Model>();
        assert_defaults::<crate::metrics::project_incident_deployment_relationship::Model>();
    }

    #[test]
    fn the_layer_is_told_by_the_name_and_only_domain_rows_are_not_tracked() {
        for (name, layer) in [
            ("_raw_bitbucket_api_repositories", Layer::Raw),
            ("_tool_bitbucket_repos", Layer::Tool),
            ("_headwater_scopes", Layer::Bookkeeping),
            ("repos", Layer::Domain),
            ("tool_box", Layer::Domain),
        ] {
            assert_eq!(Layer::of(name), layer, "{name}");
        }
        assert!(!Table::of::<repo::Entity>().is_tracked());
        assert!(Table::of::<pull_request_reviewer::Entity>().is_tracked());
    }

    #[test]
    fn the_values_of_a_row_come_in_the_order_of_the_columns() {
        let row = pull_request_reviewer::Model {
            role: "REVIEWER".to_owned(),
            approved: true,
            ..pull_request_reviewer::Model::default()
        };
        let table = pull_request_reviewer::Model::table();
        let values = row.into_values();
        assert_eq!(values.len(), table.columns.len());
        assert_eq!(
            values[table.position("role").unwrap()],
            Value::from("REVIEWER")
        );
        assert_eq!(
            values[table.position("approved").unwrap()],
            Value::from(true)
        );
    }
}
