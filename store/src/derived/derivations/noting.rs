//! What a transaction's changes make stale, collected while it writes and stored when it commits.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, MutexGuard, PoisonError};

use headwater_domain::{Scope, Table};
use sea_orm::Value;

use super::{Cell, Derivation, Follows, Image, Input, Reach, Readers, RowChange, Stale, Through};
use crate::Transaction;
use crate::bookkeeping::progress::{Checkpoint, STALE};
use crate::database::sql::{LENGTHS, key_list};
use crate::database::values::{self, KeyValue};
use crate::derived::hashes::SHORTEST;
use crate::error::{During, StoreError};

/// Keys of one transaction that are few.
const FEW: usize = 256;

/// What the changes made so far for one scope make stale. Derivations go by their places.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// The derivations whose keys are listed; one that has to look at everything needs no list.
    /// Nothing until it was asked for.
    listed: Option<HashSet<usize>>,
    /// Keys by derivation and step; an empty step is the derivation's own.
    keys: BTreeMap<(usize, &'static str), BTreeSet<KeyValue>>,
    /// Values that lead to keys, by derivation and read.
    leads: BTreeMap<(usize, usize), BTreeSet<KeyValue>>,
    /// Derivations of which all of the scope is stale.
    everything: BTreeSet<usize>,
    /// Derivations of which all of every scope is.
    everywhere: BTreeSet<usize>,
    /// Further steps of the scope that begin anew.
    steps: BTreeSet<&'static str>,
    /// How hashes of commits begin that came or went, by repository.
    beginnings: BTreeMap<String, BTreeSet<String>>,
    /// Tables of which changes were noted.
    tables: BTreeSet<&'static str>,
    /// Tables that a statement changed by itself.
    changed: BTreeSet<&'static str>,
}

impl Noted {
    fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.leads.is_empty()
            && self.everything.is_empty()
            && self.everywhere.is_empty()
            && self.steps.is_empty()
            && self.beginnings.is_empty()
    }

    fn add(&mut self, of: &Derivation, (place, read): Place, change: &RowChange<'_>) {
        let reads = &of.reads[read];
        if !reads.columns.is_empty() && !change.differs(reads.columns) {
            return;
        }
        if reads.only.is_some_and(|counts| !counts(change)) {
            return;
        }
        match reads.follows {
            Follows::Everything(steps) => {
                self.everything.insert(place);
                self.steps.extend(steps);
                return;
            }
            Follows::ShortHashes => return self.add_beginning(change),
            _ => {}
        }
        let listed = self.listed.as_ref();
        if listed.is_none_or(|listed| !listed.contains(&place)) {
            // Who looks at everything has to be kept from ending before this is committed, where
            // another process may be the one who does.
            if of.reach == Reach::Everywhere {
                self.everything.insert(place);
            }
            return;
        }
        match reads.follows {
            Follows::Key(column) => match keys_in(change, column) {
                Some(keys) => self.keys.entry((place, "")).or_default().extend(keys),
                None => _ = self.everything.insert(place),
            },
            Follows::Month(column) if !change.differs(&[column]) => {}
            Follows::Month(column) => match months_in(change, column) {
                Some(keys) => self.keys.entry((place, "")).or_default().extend(keys),
                None => _ = self.everything.insert(place),
            },
            Follows::Through(Through { column, .. }) => match keys_in(change, column) {
                Some(keys) => self.leads.entry((place, read)).or_default().extend(keys),
                None => _ = self.everything.insert(place),
            },
            Follows::Of(means) => match means(change) {
                Stale::Nothing => {}
                Stale::Work(step, key) => {
                    self.keys.entry((place, step)).or_default().insert(key);
                }
                Stale::Everything => _ = self.everything.insert(place),
            },
            Follows::Everything(_) | Follows::ShortHashes => {}
        }
    }

    /// Where a list that is for few keys would get many, takes the way that is there for these.
    fn take_other_ways(&mut self, readers: &Readers) {
        let other_way =
            |place: usize, read: usize| readers.derivations[place].reads[read].instead_of;
        let crowded: HashSet<(usize, &str)> = self
            .keys
            .iter()
            .filter(|(_, keys)| keys.len() > FEW)
            .map(|(at, _)| *at)
            .collect();
        let is_crowded = |place, step| crowded.contains(&(place, step));
        self.leads.retain(|(place, read), _| {
            other_way(*place, *read).is_none_or(|step| is_crowded(*place, step))
        });
        let has_other_way = |place: usize, step: &str| {
            let reads = &readers.derivations[place].reads;
            reads.iter().any(|it| it.instead_of == Some(step))
        };
        self.keys
            .retain(|(place, step), _| !(is_crowded(*place, step) && has_other_way(*place, step)));
    }

    fn add_beginning(&mut self, change: &RowChange<'_>) {
        let text = |column| match (change.after(column), change.before(column)) {
            (Cell::Is(Value::String(Some(text))), _) | (_, Cell::Is(Value::String(Some(text)))) => {
                Some(text)
            }
            _ => None,
        };
        if let (Some(repo_id), Some(sha)) = (text("repo_id"), text("commit_sha"))
            && let Some(beginning) = sha.get(..SHORTEST)
        {
            if !self.beginnings.contains_key(repo_id) {
                self.beginnings.insert(repo_id.clone(), BTreeSet::new());
            }
            if let Some(known) = self.beginnings.get_mut(repo_id)
                && !known.contains(beginning)
            {
                known.insert(beginning.to_owned());
            }
        }
    }
}

/// A derivation, and one of its inputs, by their places.
type Place = (usize, usize);

/// What a column held and holds; nothing where that is not known.
fn keys_in(change: &RowChange<'_>, column: &str) -> Option<BTreeSet<KeyValue>> {
    let mut keys = BTreeSet::new();
    for cell in [change.before(column), change.after(column)] {
        match cell {
            Cell::Absent => {}
            Cell::Is(value) => _ = keys.insert(values::key_text(value)),
            Cell::Unknown => return None,
        }
    }
    // Null, or an empty text, is nobody's key.
    keys.remove("");
    Some(keys)
}

/// The months of the times that a column held and holds; nothing where that is not known.
fn months_in(change: &RowChange<'_>, column: &str) -> Option<BTreeSet<KeyValue>> {
    let mut months = BTreeSet::new();
    for cell in [change.before(column), change.after(column)] {
        match cell {
            Cell::Unknown => return None,
            Cell::Is(Value::ChronoDateTimeUtc(Some(time))) => {
                months.insert(time.format("%Y-%m").to_string());
            }
            Cell::Absent | Cell::Is(_) => {}
        }
    }
    Some(months)
}

impl Transaction<'_> {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what changes of a table's rows make stale.
    pub(crate) async fn note<'r>(
        &self,
        table: &Table,
        changes: impl Iterator<Item = RowChange<'r>> + Send,
    ) -> Result<(), StoreError> {
        let noting = |noted: &mut Noted, of: &Derivation, input: Place, change: &RowChange<'_>| {
            if self.deriving != Some(of.name) {
                noted.add(of, input, change);
            }
        };
        let counts = |reads: &Input| !reads.imported;
        self.note_each(table, changes, (counts, noting)).await
    }

    /// Notes what rows of no scope make stale: all of every scope of what is derived for scopes,
    /// and keys of what spans them.
    pub(crate) async fn note_imported<'r>(
        &self,
        table: &Table,
        changes: impl Iterator<Item = RowChange<'r>> + Send,
    ) -> Result<(), StoreError> {
        let noting = |noted: &mut Noted, of: &Derivation, input: Place, change: &RowChange<'_>| {
            let reads = &of.reads[input.1];
            let spans = of.reach == Reach::Everywhere;
            if spans || matches!(reads.follows, Follows::ShortHashes) {
                noted.add(of, input, change);
            } else if reads.columns.is_empty() || change.differs(reads.columns) {
                noted.everywhere.insert(input.0);
            }
        };
        self.note_each(table, changes, (|_: &Input| true, noting))
            .await
    }

    /// Gives every change to each input that reads the table, of those that count.
    async fn note_each<'r>(
        &self,
        table: &Table,
        changes: impl Iterator<Item = RowChange<'r>> + Send,
        (counts, noting): (
            impl Fn(&Input) -> bool + Send,
            impl Fn(&mut Noted, &Derivation, Place, &RowChange<'_>) + Send,
        ),
    ) -> Result<(), StoreError> {
        let readers = Arc::clone(&self.store.followers.0);
        let Some(inputs) = readers.by_table.get(table.name) else {
            return Ok(());
        };
        let inputs = inputs.iter().copied();
        let counting = inputs.filter(|at| counts(&readers.derivations[at.0].reads[at.1]));
        let inputs: Vec<Place> = counting.collect();
        if inputs.is_empty() {
            self.noted().tables.extend(readers.name_of(table.name));
            return Ok(());
        }
        self.look_up_listed(&readers).await?;
        let mut noted = self.noted();
        noted.tables.extend(readers.name_of(table.name));
        for change in changes {
            for &input in &inputs {
                noting(&mut noted, &readers.derivations[input.0], input, &change);
            }
        }
        Ok(())
    }

    /// Notes that rows with these values in these columns go.
    pub(crate) async fn note_removed(
        &self,
        table: &Table,
        columns: &[&str],
        rows: &[Vec<Value>],
    ) -> Result<(), StoreError> {
        let removed = |row| RowChange::new(table, Image::Part(columns, row), Image::Absent);
        let changes = rows.iter().map(|row| removed(row.as_slice()));
        self.note(table, changes).await
    }

    /// Notes that rows with these values in these columns get other values in those that changed.
    pub(crate) async fn note_updated(
        &self,
        table: &Table,
        (columns, rows): (&[&str], &[Vec<Value>]),
        changed: &[&str],
    ) -> Result<(), StoreError> {
        let noted = rows.iter().map(|row| {
            let image = Image::Part(columns, row.as_slice());
            RowChange {
                changed: Some(changed),
                ..RowChange::new(table, image, image)
            }
        });
        self.note(table, noted).await
    }

    /// Notes that columns of rows change of which nothing is known, not even whose they are.
    pub(crate) fn note_unknown(&self, table: &Table, changed: &[&str]) {
        let readers = Arc::clone(&self.store.followers.0);
        let inputs = readers.by_table.get(table.name).into_iter().flatten();
        self.noted().tables.extend(readers.name_of(table.name));
        for &(place, read) in inputs {
            let reads = &readers.derivations[place].reads[read];
            let columns = reads.columns;
            if reads.imported {
                continue;
            }
            if columns.is_empty() || columns.iter().any(|column| changed.contains(column)) {
                self.noted().everywhere.insert(place);
            }
        }
    }

    /// Remembers which table a statement of its own changes, so that one that nobody notes is found
    /// by the first test that runs it. Statements of this store say it in their first words.
    pub(crate) fn changes_by(&self, text: &str) {
        if !cfg!(debug_assertions) {
            return;
        }
        let mut words = text.split_ascii_whitespace();
        let table = match words.next() {
            Some("UPDATE") => words.next(),
            Some("INSERT" | "DELETE") => words.nth(1),
            _ => None,
        };
        let named = table.and_then(|table| self.store.followers.0.name_of(table));
        self.noted().changed.extend(named);
    }

    /// Finds out, once for each transaction and scope, which derivations need lists of keys.
    async fn look_up_listed(&self, readers: &Readers) -> Result<(), StoreError> {
        if self.noted().listed.is_some() {
            return Ok(());
        }
        let text = "SELECT params, step FROM _headwater_checkpoints \
                    WHERE params IN (?, ?) AND rules <> ?";
        let everywhere = Scope::everywhere().params();
        let values = vec![
            self.params.clone().into(),
            everywhere.clone().into(),
            STALE.into(),
        ];
        let mut listed = HashSet::new();
        for row in self.query_all(text, values).await? {
            let read = || Ok((row.get(0)?, row.get(1)?));
            let (params, step): (String, String) = read().during(text)?;
            let found = readers.steps.iter().enumerate().find(|(place, known)| {
                let spans = readers.derivations[*place].reach == Reach::Everywhere;
                **known == step && spans == (params == everywhere)
            });
            listed.extend(found.map(|(place, _)| place));
        }
        self.noted().listed = Some(listed);
        Ok(())
    }

    /// Stores what was noted for the scope at hand.
    pub(crate) async fn store_notes(&mut self) -> Result<(), StoreError> {
        let noted = std::mem::take(&mut *self.noted());
        debug_assert!(
            noted.changed.is_subset(&noted.tables),
            "changed without a note of it: {:?}, noted: {:?}",
            noted.changed,
            noted.tables
        );
        if noted.is_empty() {
            return Ok(());
        }
        let readers = Arc::clone(&self.store.followers.0);
        for step in &noted.steps {
            self.step_is_stale(&self.params, step)?;
        }
        for place in &noted.everywhere {
            let text = "UPDATE _headwater_checkpoints SET rules = ? WHERE step = ?";
            self.queue(
                text,
                vec![STALE.into(), readers.steps[*place].clone().into()],
            )?;
        }
        for place in &noted.everything {
            let step = &readers.steps[*place];
            match readers.derivations[*place].reach {
                Reach::Scope => self.step_is_stale(&self.params, step)?,
                Reach::Everywhere => self.is_stale_everywhere(step).await?,
            }
        }
        let mut noted = noted;
        noted.take_other_ways(&readers);
        for ((place, step), keys) in noted.keys {
            let step = if step.is_empty() {
                &readers.steps[place]
            } else {
                step
            };
            match readers.derivations[place].reach {
                Reach::Scope => self.add_work(step, keys.into_iter().collect()).await?,
                Reach::Everywhere => self.add_work_everywhere(step, keys)?,
            }
        }
        for ((place, read), values) in noted.leads {
            self.follow_leads(&readers, (place, read), &values)?;
        }
        for (repo_id, beginnings) in noted.beginnings {
            self.list_namers(&repo_id, &beginnings)?;
        }
        Ok(())
    }

    /// Has whatever is derived from rows of a scope begin anew.
    pub(crate) async fn all_derived_is_stale(&self, params: &str) -> Result<(), StoreError> {
        let readers = Arc::clone(&self.store.followers.0);
        self.noted().tables.extend(readers.by_table.keys());
        for (derivation, step) in readers.derivations.iter().zip(&readers.steps) {
            match derivation.reach {
                Reach::Scope => self.step_is_stale(params, step)?,
                Reach::Everywhere => self.is_stale_everywhere(step).await?,
            }
        }
        Ok(())
    }

    /// Has a derivation that spans scopes begin anew. The row is written where there is none, so
    /// that it is held until the commit: who lists everything waits for it.
    async fn is_stale_everywhere(&self, step: &str) -> Result<(), StoreError> {
        let stale = Checkpoint {
            rules: STALE.to_owned(),
            ..Checkpoint::default()
        };
        self.set_checkpoint_of(&Scope::everywhere().params(), step, &stale)
            .await
    }

    /// Adds keys to a work list that spans scopes. A key that is there is written over, so that it
    /// is held until the commit: who takes it off the list waits for it.
    fn add_work_everywhere(&self, step: &str, keys: BTreeSet<KeyValue>) -> Result<(), StoreError> {
        let params = Scope::everywhere().params();
        let keys: Vec<KeyValue> = keys.into_iter().collect();
        let mut rest = keys.as_slice();
        while !rest.is_empty() {
            let fits = |length: &&usize| **length <= rest.len();
            let length = LENGTHS.iter().find(fits).copied().unwrap_or(1);
            let (group, tail) = rest.split_at(length);
            let rows = vec!["(?, ?, ?)"; length].join(", ");
            let text = format!(
                "INSERT INTO _headwater_work (params, step, row_key) VALUES {rows} {}",
                self.locking_listed()
            );
            let values = group.iter().flat_map(|key| -> [Value; 3] {
                [params.clone().into(), step.into(), key.clone().into()]
            });
            self.queue(&text, values.collect())?;
            rest = tail;
        }
        Ok(())
    }

    /// Adds the keys that values lead to.
    fn follow_leads(
        &self,
        readers: &Readers,
        (place, read): (usize, usize),
        values: &BTreeSet<KeyValue>,
    ) -> Result<(), StoreError> {
        let derivation = &readers.derivations[place];
        let read = &derivation.reads[read];
        let Follows::Through(through) = read.follows else {
            return Ok(());
        };
        let Through {
            column,
            first,
            then,
        } = through;
        let holder = then.map_or("leads", |_| "ends");
        let join = then.map_or_else(String::new, |then| {
            let (table, by) = (then.table, then.by);
            format!("JOIN {table} AS ends ON ends.{by} = leads.{}", first.key)
        });
        let key = format!("{holder}.{}", through.last().key);
        let place_of = read.table.position(column).unwrap_or_default();
        let kind = &read.table.columns[place_of].column_type;
        let params = match derivation.reach {
            Reach::Scope => self.params.clone(),
            Reach::Everywhere => Scope::everywhere().params(),
        };
        let values: Vec<Value> = values
            .iter()
            .map(|it| values::key_value(it, kind))
            .collect();
        for group in values.chunks(LENGTHS[0]) {
            let (list, group) = key_list(group.to_vec());
            let text = format!(
                "INSERT INTO _headwater_work (params, step, row_key) \
                 SELECT DISTINCT ?, ?, {} FROM {} AS leads {join} \
                 WHERE leads.{} IN {list} AND {key} IS NOT NULL {}",
                self.store.dialect().text(&key),
                first.table,
                first.by,
                self.locking_listed()
            );
            let mut bound = vec![params.clone().into(), readers.steps[place].clone().into()];
            bound.extend(group);
            self.queue(&text, bound)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use headwater_domain::code::repo_commit;

    use super::super::Input;
    use super::*;
    use crate::Store;

    #[tokio::test]
    #[should_panic(expected = "changed without a note of it: {\"repo_commits\"}")]
    async fn a_statement_that_nobody_notes_is_found() {
        let store = Store::open_in_memory().await.unwrap();
        for text in [
            "CREATE TABLE _headwater_scopes (params TEXT, seq BIGINT)",
            "INSERT INTO _headwater_scopes VALUES ('{\"ConnectionId\":1,\"FullName\":\"a/b\"}', 0)",
            "CREATE TABLE repo_commits (repo_id TEXT, commit_sha TEXT)",
            "INSERT INTO repo_commits VALUES ('r', 'aa')",
        ] {
            store.execute(text, Vec::new()).await.unwrap();
        }
        let derivation = Derivation {
            name: "test",
            reach: Reach::Scope,
            reads: vec![Input::whole::<repo_commit::Entity>()],
            writes: Vec::new(),
            needs: &[],
        };
        let store = store.following(vec![derivation]);
        let scope = Scope::new(1, "a/b");
        let page = store.begin(&scope, chrono::Utc::now()).await.unwrap();
        let text = "DELETE FROM repo_commits WHERE repo_id = ?";
        page.execute(text, vec!["r".into()]).await.unwrap();
        page.commit().await.unwrap();
    }
}
