//! Repositories under other names: all rows follow, in one transaction.

use chrono::{DateTime, Utc};
use sea_orm::Value;
use sea_orm::sea_query::ColumnType;

use headwater_domain::headwater::account_mention;
use headwater_domain::id::Ids;
use headwater_domain::table::Layer;
use headwater_domain::{Scope, Table};

use crate::Store;
use crate::database::dialect::SqlDialect;
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};
use crate::rows::compare::Tables;

/// The rules of a checkpoint after a rename: those of no version, so that the step starts over.
const RENAMED: &str = "renamed";

/// A repository that has another name now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// What stays: the source's own id of the repository.
    pub uuid: String,
    /// The name that the rows have.
    pub from: Scope,
    /// The name that they are to have.
    pub to: Scope,
}

/// The names and ids to be replaced, beside the tables that hold them.
pub struct Renaming<'a> {
    /// Raw, tool and domain tables.
    pub tables: &'a Tables,
    /// Steps that start over, so that whatever was made of a name is made again (offline).
    pub steps: &'a [String],
    /// How domain ids are spelt that hold a repository's name.
    pub ids: &'static Ids,
    /// The name of a repository that has lost its own to another one: the source answers to it
    /// too. Made of that name and of what stays.
    pub aside: fn(&Scope, &str) -> Scope,
    /// How addresses begin that hold a repository's name.
    pub address: &'a (dyn Fn(&Scope) -> String + Send + Sync),
}

impl Store {
    /// Repositories of a connection that were collected, by the key of their raw row: the UUID
    /// where the source gives one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn collected_repositories(
        &self,
        connection_id: i64,
        raw_table: &str,
    ) -> Result<Vec<(String, Scope)>, StoreError> {
        let text = format!(
            "SELECT raw.item_key, scopes.full_name FROM _headwater_scopes AS scopes \
             JOIN {raw_table} AS raw ON raw.params = scopes.params \
             WHERE scopes.connection_id = ? ORDER BY scopes.full_name, raw.item_key"
        );
        let rows = self.query_all(&text, vec![connection_id.into()]).await?;
        let read = rows.iter().map(|row| {
            let name: String = row.get(1)?;
            Ok((row.get(0)?, Scope::new(connection_id, name)))
        });
        read.collect::<Result<_, _>>().during(&text)
    }

    /// What repositories that had these names before are called now; the newest rename first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn aliases(&self, connection_id: i64) -> Result<Vec<(String, String)>, StoreError> {
        let text = "SELECT former_name, full_name FROM _headwater_scope_aliases \
                    WHERE connection_id = ? ORDER BY renamed_at DESC, former_name, uuid";
        let rows = self.query_all(text, vec![connection_id.into()]).await?;
        let read = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        read.collect::<Result<_, _>>().during(text)
    }

    /// Whether any raw row of a scope is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_rows(&self, scope: &Scope, tables: &Tables) -> Result<bool, StoreError> {
        for table in &tables.raw {
            let text = format!("SELECT 1 FROM {table} WHERE params = ? LIMIT 1");
            let found = self.query_all(&text, vec![scope.params().into()]).await?;
            if !found.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives the rows of repositories their new names, all in one transaction. Names may go from
    /// one repository to another; names that are no repository's in the end must be free.
    ///
    /// # Errors
    /// When the database fails, or a scope's lease is lost: then nothing has changed.
    pub async fn rename(
        &self,
        renames: &[Rename],
        renaming: &Renaming<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let moves = in_order(renames, renaming.aside);
        let Some((first, _)) = moves.first() else {
            return Ok(());
        };
        let remembering = self.remembering_tables().await?;
        let mut page = self.begin(first, now).await?;
        for (from, to) in &moves {
            page.enter(from).await?;
            page.move_remembered(from, to, &remembering).await?;
            page.move_scope(from, to, renaming).await?;
        }
        for rename in renames {
            page.note_alias(rename).await?;
            page.start_over(&rename.to, renaming.steps).await?;
        }
        page.commit().await
    }
}

/// Moves of which none meets a name that is still taken: where names go round in a circle, one
/// repository takes a temporary name first.
fn in_order(renames: &[Rename], aside: fn(&Scope, &str) -> Scope) -> Vec<(Scope, Scope)> {
    let mut left: Vec<(Scope, Scope, &str)> = renames
        .iter()
        .map(|rename| (rename.from.clone(), rename.to.clone(), rename.uuid.as_str()))
        .collect();
    let mut moves = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = left
            .iter()
            .position(|(_, to, _)| left.iter().all(|(from, ..)| from != to));
        if let Some(place) = free {
            let (from, to, _) = left.swap_remove(place);
            moves.push((from, to));
        } else if let Some((from, _, uuid)) = left.first_mut() {
            let aside = aside(from, uuid);
            moves.push((std::mem::replace(from, aside.clone()), aside));
        }
    }
    moves
}

impl Transaction<'_> {
    /// Moves what is remembered of a scope to a name that is free.
    async fn move_remembered(
        &self,
        from: &Scope,
        to: &Scope,
        remembering: &[String],
    ) -> Result<(), StoreError> {
        for table in remembering {
            if table != "_headwater_steps" {
                // A scope may have been registered under the name before it had any row.
                let text = format!("DELETE FROM {table} WHERE params = ?");
                self.execute(&text, vec![to.params().into()]).await?;
            }
            let text = format!("UPDATE {table} SET params = ? WHERE params = ?");
            let values = vec![to.params().into(), from.params().into()];
            self.execute(&text, values).await?;
        }
        Ok(())
    }

    /// Moves the rows of a scope to a name that is free.
    async fn move_scope(
        &self,
        from: &Scope,
        to: &Scope,
        renaming: &Renaming<'_>,
    ) -> Result<(), StoreError> {
        let text = "UPDATE _headwater_scopes SET full_name = ? WHERE params = ?";
        let values = vec![to.full_name.clone().into(), to.params().into()];
        self.execute(text, values).await?;
        // An interrupted walk would go on at an address of the old name.
        let text = "UPDATE _headwater_walks SET resume_at = NULL, resume_query = NULL, \
                    resume_since = NULL WHERE params = ?";
        self.execute(text, vec![to.params().into()]).await?;
        for table in &renaming.tables.raw {
            let old = (renaming.address)(from);
            let mut set = Replaced::new(self.store.dialect(), "url");
            set.beginning(&old, &(renaming.address)(to), &["", "/", "?"]);
            let (case, mut values) = set.finish();
            let text = format!("UPDATE {table} SET url = {case}, params = ? WHERE params = ?");
            values.extend([to.params().into(), from.params().into()]);
            self.execute(&text, values).await?;
        }
        let mentions = Table::of::<account_mention::Entity>();
        for table in renaming.tables.rows.iter().copied().chain([mentions]) {
            self.move_rows(table, (from, to), renaming.ids).await?;
        }
        // Its keys are ids, which hold the name.
        self.all_derived_is_stale(&to.params()).await
    }

    /// Names and ids in the rows of one table that were made of the scope's raw rows.
    async fn move_rows(
        &self,
        table: &Table,
        (from, to): (&Scope, &Scope),
        ids: &Ids,
    ) -> Result<(), StoreError> {
        let mut sets = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        let columns = table.columns.iter().filter(|column| {
            let named = column.name == "id" || column.name.ends_with("_id");
            named && matches!(column.column_type, ColumnType::String(_))
        });
        for column in columns {
            let mut set = Replaced::new(self.store.dialect(), &column.name);
            if table.layer() == Layer::Domain {
                let (old, new) = (ids.beginnings(from), ids.beginnings(to));
                for (old, new) in old.iter().zip(new) {
                    set.beginning(old, &new, &["", ":"]);
                }
            } else {
                set.beginning(&from.full_name, &to.full_name, &[""]);
            }
            let (case, more) = set.finish();
            sets.push(format!("{} = {case}, ", column.name));
            values.extend(more);
        }
        let text = format!(
            "UPDATE {} SET {}_raw_data_params = ? WHERE _raw_data_params = ?",
            table.name,
            sets.concat()
        );
        values.extend([to.params().into(), from.params().into()]);
        self.execute(&text, values).await.map(|_| ())
    }

    /// The old name leads to the repository from now on, and so do those before it.
    async fn note_alias(&self, rename: &Rename) -> Result<(), StoreError> {
        let (id, uuid) = (rename.from.connection_id, rename.uuid.clone());
        let text = "UPDATE _headwater_scope_aliases SET full_name = ? \
                    WHERE connection_id = ? AND uuid = ?";
        let new = rename.to.full_name.clone();
        let values = vec![new.clone().into(), id.into(), uuid.clone().into()];
        self.execute(text, values).await?;
        for name in [&rename.from.full_name, &rename.to.full_name] {
            let text = "DELETE FROM _headwater_scope_aliases \
                        WHERE connection_id = ? AND uuid = ? AND former_name = ?";
            let values = vec![id.into(), uuid.clone().into(), name.clone().into()];
            self.execute(text, values).await?;
        }
        let text = "INSERT INTO _headwater_scope_aliases \
                    (connection_id, former_name, uuid, full_name, renamed_at) \
                    VALUES (?, ?, ?, ?, ?)";
        let former = rename.from.full_name.clone();
        let values = vec![
            id.into(),
            former.into(),
            uuid.into(),
            new.into(),
            self.now.into(),
        ];
        self.execute(text, values).await.map(|_| ())
    }

    async fn start_over(&self, scope: &Scope, steps: &[String]) -> Result<(), StoreError> {
        for step in steps {
            let text = "UPDATE _headwater_checkpoints SET rules = ? WHERE params = ? AND step = ?";
            let values = vec![RENAMED.into(), scope.params().into(), step.clone().into()];
            self.execute(text, values).await?;
        }
        Ok(())
    }
}

/// A column with other beginnings of its text.
struct Replaced<'a> {
    sql: SqlDialect,
    column: &'a str,
    cases: String,
    values: Vec<Value>,
}

impl<'a> Replaced<'a> {
    fn new(sql: SqlDialect, column: &'a str) -> Self {
        Self {
            sql,
            column,
            cases: String::new(),
            values: Vec::new(),
        }
    }

    /// A text that is `old`, or goes on after it with one of these; the empty one is the end.
    fn beginning(&mut self, old: &str, new: &str, followed_by: &[&str]) {
        let column = self.column;
        for next in followed_by {
            let whole = format!("{old}{next}");
            if next.is_empty() {
                self.cases.push_str(" WHEN ");
                self.cases.push_str(column);
                self.cases.push_str(" = ? THEN ?");
                self.values.extend([whole.into(), new.into()]);
                continue;
            }
            let rest = format!("SUBSTR({column}, {})", old.chars().count() + 1);
            let joined = self.sql.joined("?", &rest);
            let length = whole.chars().count();
            let case = format!(" WHEN SUBSTR({column}, 1, {length}) = ? THEN {joined}");
            self.cases.push_str(&case);
            self.values.extend([whole.into(), new.into()]);
        }
    }

    fn finish(self) -> (String, Vec<Value>) {
        let Self { column, cases, .. } = self;
        (format!("CASE{cases} ELSE {column} END"), self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rename(uuid: &str, from: &str, to: &str) -> Rename {
        Rename {
            uuid: uuid.to_owned(),
            from: Scope::new(1, from),
            to: Scope::new(1, to),
        }
    }

    fn moves(renames: &[Rename]) -> Vec<(String, String)> {
        let aside = |scope: &Scope, uuid: &str| {
            let group = scope.full_name.split('/').next().unwrap();
            Scope::new(scope.connection_id, format!("{group}/{uuid}"))
        };
        let names = in_order(renames, aside).into_iter();
        names
            .map(|(from, to)| (from.full_name, to.full_name))
            .collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn a_name_is_left_before_another_repository_takes_it() {
        let chain = [rename("{1}", "w/a", "w/b"), rename("{2}", "w/b", "w/c")];
        assert_eq!(moves(&chain), pairs(&[("w/b", "w/c"), ("w/a", "w/b")]));
    }

    #[test]
    fn where_names_are_swapped_one_repository_steps_aside() {
        let swap = [rename("{1}", "w/a", "w/b"), rename("{2}", "w/b", "w/a")];
        assert_eq!(
            moves(&swap),
            pairs(&[("w/a", "w/{1}"), ("w/b", "w/a"), ("w/{1}", "w/b")])
        );
    }
}
