//! New tables in few words, with the type each database has for a column.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The databases, as far as their statements differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
    MariaDb,
}

impl Dialect {
    /// Every dialect, for tests.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [Self::Sqlite, Self::Postgres, Self::MySql, Self::MariaDb];

    pub(crate) fn of(backend: DbBackend, version: &str) -> Self {
        match backend {
            DbBackend::Postgres => Self::Postgres,
            DbBackend::MySql if version.contains("MariaDB") => Self::MariaDb,
            DbBackend::MySql => Self::MySql,
            _ => Self::Sqlite,
        }
    }

    fn is_mysql(self) -> bool {
        matches!(self, Self::MySql | Self::MariaDb)
    }

    /// Compares text by its bytes, trailing spaces included, as the other databases do.
    /// `utf8mb4_bin` would take `a` and `a ` for the same key.
    pub(crate) fn collation(self) -> &'static str {
        match self {
            Self::MySql => "utf8mb4_0900_bin",
            _ => "utf8mb4_nopad_bin",
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Varchar(u32),
    Integer,
    Boolean,
    Real,
    /// Declared as text in an `SQLite` file.
    Time,
    /// Declared as a time in an `SQLite` file too, which is how other programs recognise it.
    DeclaredTime,
    Bytes,
    /// Numbered by the database; the primary key.
    Serial,
}

#[derive(Clone)]
struct NewColumn {
    name: &'static str,
    kind: Kind,
    required: bool,
}

/// What a statement adds to a table that is there already.
pub(crate) enum Addition {
    /// The statement makes the table.
    None,
    Column(&'static str),
    Index(String),
}

/// A table to be created, with its key and indexes.
#[derive(Clone)]
pub(crate) struct NewTable {
    name: String,
    columns: Vec<NewColumn>,
    keys: Vec<&'static str>,
    indexes: Vec<(Vec<&'static str>, bool)>,
    clustered: bool,
    /// The table is there already; only the columns and indexes are new.
    more: bool,
    /// Indexes that an `SQLite` file is better without.
    dropped: Vec<Vec<&'static str>>,
    /// Indexes on some rows only, each with its condition, that only an `SQLite` file has.
    partial: Vec<(Vec<&'static str>, &'static str)>,
    /// What all rows of a table on `MySQL` and `MariaDB` are set to.
    updates: Vec<&'static str>,
    /// Statements that only an `SQLite` file needs, instead of all others.
    in_files: Option<Vec<String>>,
    /// The query of a view; none for a table.
    view: Option<std::sync::Arc<dyn Fn(Dialect) -> String + Send + Sync>>,
}

impl NewTable {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            columns: Vec::new(),
            keys: Vec::new(),
            indexes: Vec::new(),
            clustered: false,
            more: false,
            dropped: Vec::new(),
            partial: Vec::new(),
            updates: Vec::new(),
            in_files: None,
            view: None,
        }
    }

    /// A view, in the place of an earlier one of this name. Its query names tables only: a view that
    /// others read could not be replaced. A change that takes or alters a column which a view reads
    /// replaces the view first.
    pub(crate) fn view(
        name: &str,
        query: impl Fn(Dialect) -> String + Send + Sync + 'static,
    ) -> Self {
        Self {
            view: Some(std::sync::Arc::new(query)),
            ..Self::new(name)
        }
    }

    /// Further columns and indexes of a table that an earlier change made.
    pub(crate) fn more(name: &str) -> Self {
        Self {
            more: true,
            ..Self::new(name)
        }
    }

    /// Statements that an `SQLite` file needs and a server does not.
    pub(crate) fn in_files(name: &str, statements: Vec<String>) -> Self {
        Self {
            in_files: Some(statements),
            ..Self::new(name)
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Names of the columns that hold times and are declared as text in an `SQLite` file.
    pub(crate) fn times_as_text(&self) -> Vec<&'static str> {
        let times = self.columns.iter();
        let times = times.filter(|column| matches!(column.kind, Kind::Time));
        times.map(|column| column.name).collect()
    }

    /// Declares times as such in an `SQLite` file too.
    pub(crate) fn with_declared_times(mut self) -> Self {
        for column in &mut self.columns {
            if matches!(column.kind, Kind::Time) {
                column.kind = Kind::DeclaredTime;
            }
        }
        self
    }

    /// A raw table: `DevLake`'s columns, then the natural key and change tracking.
    pub(crate) fn raw(name: &str) -> Self {
        Self::new(name)
            .column("id", Kind::Serial, true)
            .column("params", Kind::Varchar(255), true)
            .bytes("data")
            .text("url")
            .text("input")
            .time("created_at")
            .column("parent", Kind::Varchar(255), true)
            .column("item_key", Kind::Varchar(255), true)
            .varchar("content_hash", 40)
            .column("changed_seq", Kind::Integer, true)
            .column("seen_walk", Kind::Integer, true)
            .varchar("child_counts", 255)
            .unique(&["params", "parent", "item_key"])
            .index(&["params", "changed_seq"])
    }

    fn column(mut self, name: &'static str, kind: Kind, required: bool) -> Self {
        self.columns.push(NewColumn {
            name,
            kind,
            required,
        });
        self
    }

    /// A number given by the database, the whole primary key.
    pub(crate) fn serial(self, name: &'static str) -> Self {
        self.column(name, Kind::Serial, true)
    }

    /// A text column of the primary key.
    pub(crate) fn key(mut self, name: &'static str, length: u32) -> Self {
        self.keys.push(name);
        self.column(name, Kind::Varchar(length), true)
    }

    /// A number column of the primary key.
    pub(crate) fn key_number(mut self, name: &'static str) -> Self {
        self.keys.push(name);
        self.column(name, Kind::Integer, true)
    }

    pub(crate) fn text(self, name: &'static str) -> Self {
        self.column(name, Kind::Text, false)
    }

    pub(crate) fn varchar(self, name: &'static str, length: u32) -> Self {
        self.column(name, Kind::Varchar(length), false)
    }

    pub(crate) fn number(self, name: &'static str) -> Self {
        self.column(name, Kind::Integer, false)
    }

    pub(crate) fn flag(self, name: &'static str) -> Self {
        self.column(name, Kind::Boolean, false)
    }

    pub(crate) fn real(self, name: &'static str) -> Self {
        self.column(name, Kind::Real, false)
    }

    pub(crate) fn time(self, name: &'static str) -> Self {
        self.column(name, Kind::Time, false)
    }

    fn bytes(self, name: &'static str) -> Self {
        self.column(name, Kind::Bytes, false)
    }

    /// The columns of provenance that tool and domain tables end with.
    pub(crate) fn origin(self) -> Self {
        self.varchar("_raw_data_params", 255)
            .varchar("_raw_data_table", 255)
            .number("_raw_data_id")
            .text("_raw_data_remark")
            .time("created_at")
            .time("updated_at")
    }

    /// Ends a domain table.
    pub(crate) fn domain(self) -> Self {
        self.origin().index(&["_raw_data_params"])
    }

    /// Ends a tool table: it is read by change and replaced by raw row.
    pub(crate) fn tool(self) -> Self {
        self.origin()
            .column("changed_seq", Kind::Integer, true)
            .index(&["_raw_data_params", "changed_seq"])
            .index(&["_raw_data_id"])
    }

    pub(crate) fn index(mut self, columns: &[&'static str]) -> Self {
        self.indexes.push((columns.to_vec(), false));
        self
    }

    pub(crate) fn unique(mut self, columns: &[&'static str]) -> Self {
        self.indexes.push((columns.to_vec(), true));
        self
    }

    /// Keeps the rows in the order of their key: for narrow rows, which then need no second tree.
    pub(crate) fn clustered(mut self) -> Self {
        self.clustered = true;
        self
    }

    /// Adds an index on some rows only, in an `SQLite` file, where whole ones cost too much.
    pub(crate) fn partly_indexed_in_files(
        mut self,
        columns: &[&'static str],
        condition: &'static str,
    ) -> Self {
        self.partial.push((columns.to_vec(), condition));
        self
    }

    /// Sets columns of all rows on `MySQL` and `MariaDB`; can be repeated.
    pub(crate) fn set_on_mysql(mut self, columns: &'static str) -> Self {
        self.updates.push(columns);
        self
    }

    /// Takes an index of an earlier change out of an `SQLite` file, where one thread writes all
    /// rows and each index takes its time. Servers keep it.
    pub(crate) fn unindexed_in_files(mut self, columns: &[&'static str]) -> Self {
        self.dropped.push(columns.to_vec());
        self
    }

    /// The statements, each with what it adds to a table which is there already.
    pub(crate) fn steps(&self, dialect: Dialect) -> Vec<(Addition, String)> {
        let statements = self.statements(dialect).into_iter();
        if self.more {
            let columns = self.columns.iter();
            let columns = columns.map(|column| Addition::Column(column.name));
            let indexes = self.indexes.iter();
            let indexes =
                indexes.map(|(columns, _)| Addition::Index(index_name(&self.name, columns)));
            // What takes an index away comes last, and can be repeated as it is.
            let added = columns
                .chain(indexes)
                .chain(std::iter::repeat_with(|| Addition::None));
            return added.zip(statements).collect();
        }
        statements
            .map(|statement| (Addition::None, statement))
            .collect()
    }

    /// One statement for each further column, then for each further index, then for each index
    /// that goes, for each that covers some rows, and for columns that are set.
    fn additions(&self, dialect: Dialect) -> Vec<String> {
        let indexes = self.indexes.iter().map(|(columns, unique)| {
            let mut index = self.index_on(columns, *unique);
            if !dialect.is_mysql() {
                index.if_not_exists();
            }
            match dialect {
                Dialect::Sqlite => index.to_string(SqliteQueryBuilder),
                Dialect::Postgres => index.to_string(PostgresQueryBuilder),
                Dialect::MySql | Dialect::MariaDb => index.to_string(MysqlQueryBuilder),
            }
        });
        let additions = self.columns.iter().map(|column| {
            let mut alter = Table::alter();
            alter
                .table(Alias::new(&self.name))
                .add_column(column.definition(dialect));
            match dialect {
                Dialect::Sqlite => alter.to_string(SqliteQueryBuilder),
                Dialect::Postgres => alter.to_string(PostgresQueryBuilder),
                Dialect::MySql | Dialect::MariaDb => alter.to_string(MysqlQueryBuilder),
            }
        });
        let dropped = self.dropped.iter().filter(|_| dialect == Dialect::Sqlite);
        let drops = dropped
            .map(|columns| format!("DROP INDEX IF EXISTS {}", index_name(&self.name, columns)));
        let partial = self.partial.iter().filter(|_| dialect == Dialect::Sqlite);
        let partial = partial.map(|(columns, condition)| {
            let name = index_name(&self.name, columns);
            let columns = columns.join(", ");
            let table = &self.name;
            format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns}) WHERE {condition}")
        });
        let updates = self.updates.iter().filter(|_| dialect.is_mysql());
        let updates = updates.map(|columns| format!("UPDATE {} SET {columns}", self.name));
        additions
            .chain(indexes)
            .chain(drops)
            .chain(partial)
            .chain(updates)
            .collect()
    }

    /// Statements that create the table and its indexes where they are missing.
    pub(crate) fn statements(&self, dialect: Dialect) -> Vec<String> {
        if let Some(statements) = &self.in_files {
            let is_file = dialect == Dialect::Sqlite;
            return if is_file {
                statements.clone()
            } else {
                Vec::new()
            };
        }
        if let Some(query) = &self.view {
            return self.view_statements(dialect, &query(dialect));
        }
        if self.more {
            return self.additions(dialect);
        }
        let mut create = Table::create();
        create.table(Alias::new(&self.name)).if_not_exists();
        for column in &self.columns {
            create.col(column.definition(dialect));
        }
        if !self.keys.is_empty() {
            let mut key = Index::create();
            key.primary();
            for name in &self.keys {
                key.col(Alias::new(*name));
            }
            create.primary_key(&mut key);
        }
        if dialect.is_mysql() {
            // With the table: MySQL cannot make an index only where it is missing.
            for (columns, unique) in &self.indexes {
                create.index(&mut self.index_on(columns, *unique));
            }
            create.engine("InnoDB").character_set("utf8mb4");
            create.collate(dialect.collation());
            return vec![create.to_string(MysqlQueryBuilder)];
        }
        if self.clustered && dialect == Dialect::Sqlite {
            // Elsewhere it is so by itself (MySQL, MariaDB), or not to be had (PostgreSQL).
            create.extra("WITHOUT ROWID");
        }
        let indexes = self.indexes.iter().map(|(columns, unique)| {
            let mut index = self.index_on(columns, *unique);
            index.if_not_exists();
            match dialect {
                Dialect::Postgres => index.to_string(PostgresQueryBuilder),
                _ => index.to_string(SqliteQueryBuilder),
            }
        });
        let indexes: Vec<String> = indexes.collect();
        let mut statements = vec![match dialect {
            Dialect::Postgres => create.to_string(PostgresQueryBuilder),
            _ => create.to_string(SqliteQueryBuilder),
        }];
        statements.extend(indexes);
        statements
    }

    fn view_statements(&self, dialect: Dialect, query: &str) -> Vec<String> {
        let name = &self.name;
        let create = match dialect {
            Dialect::Sqlite => "CREATE VIEW IF NOT EXISTS",
            Dialect::Postgres => "CREATE OR REPLACE VIEW",
            // Whoever reads it needs the right to read the tables, and nobody else's.
            _ => "CREATE OR REPLACE SQL SECURITY INVOKER VIEW",
        };
        vec![
            format!("DROP VIEW IF EXISTS {name}"),
            format!("{create} {name} AS {query}"),
        ]
    }

    fn index_on(&self, columns: &[&str], unique: bool) -> IndexCreateStatement {
        let mut index = Index::create();
        index
            .name(index_name(&self.name, columns))
            .table(Alias::new(&self.name));
        for column in columns {
            index.col(Alias::new(*column));
        }
        if unique {
            index.unique();
        }
        index
    }
}

/// `idx_<table>_<columns>`, as DevLake names them; where that is more than the
/// 63 bytes PostgreSQL keeps, with the initials of the columns' words.
fn index_name(table: &str, columns: &[&str]) -> String {
    let whole = format!("idx_{table}_{}", columns.join("_"));
    if whole.len() <= 63 {
        return whole;
    }
    let initials = |column: &&str| -> String {
        let parts = column.split('_').filter(|part| !part.is_empty());
        parts.filter_map(|part| part.chars().next()).collect()
    };
    let short: Vec<String> = columns.iter().map(initials).collect();
    format!("idx_{table}_{}", short.join("_"))
}

impl NewColumn {
    fn definition(&self, dialect: Dialect) -> ColumnDef {
        let mut column = ColumnDef::new(Alias::new(self.name));
        match (self.kind, dialect) {
            (Kind::Serial, Dialect::Sqlite) => {
                column.integer().primary_key().auto_increment();
            }
            (Kind::Serial, _) => {
                column.big_integer().primary_key().auto_increment();
            }
            (Kind::Integer, _) => {
                column.big_integer();
            }
            (Kind::Boolean, _) => {
                column.boolean();
            }
            (Kind::Real, _) => {
                column.double();
            }
            (Kind::Varchar(length), _) => {
                column.string_len(length);
                if dialect == Dialect::Postgres {
                    // By bytes, whatever the database's own order is.
                    column.extra("COLLATE \"C\"");
                }
            }
            (Kind::Text, Dialect::MySql | Dialect::MariaDb) => {
                column.custom(Alias::new("longtext"));
            }
            (Kind::Text, _) | (Kind::Time, Dialect::Sqlite) => {
                column.text();
            }
            (Kind::DeclaredTime, Dialect::Sqlite) => {
                column.custom(Alias::new("timestamp"));
            }
            (Kind::Time | Kind::DeclaredTime, Dialect::MySql | Dialect::MariaDb) => {
                column.custom(Alias::new("datetime(3)"));
            }
            (Kind::Time | Kind::DeclaredTime, _) => {
                column.timestamp_with_time_zone();
            }
            (Kind::Bytes, Dialect::MySql | Dialect::MariaDb) => {
                column.custom(Alias::new("longblob"));
            }
            (Kind::Bytes, _) => {
                column.blob();
            }
        }
        if self.required {
            column.not_null();
        }
        column
    }
}
