//! Which statements are queries: one of them, which reads tables and nothing else.
//!
//! The text is taken apart by the words of the database's own dialect. It must be one statement
//! that begins as queries begin, must hold no word that changes, locks or writes anything, and
//! must call no function that reaches files, other servers or settings. Whatever the parser
//! understands must be a query to it, too. What it does not understand is left to the database,
//! in a session that cannot write; the words have been looked at by then.

use sqlparser::ast::Statement as Parsed;
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace, Word};

/// How deep a query may be nested for the parser.
const DEPTH: usize = 60;

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Sqlite,
    Postgres,
    MySql,
}

impl Language {
    fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::Sqlite => &SQLiteDialect {},
            Self::Postgres => &PostgreSqlDialect {},
            Self::MySql => &MySqlDialect {},
        }
    }

    /// Words that begin a query.
    fn beginnings(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["select", "with", "values", "explain", "pragma"],
            Self::Postgres => &["select", "with", "values", "table", "explain", "show"],
            Self::MySql => &[
                "select", "with", "values", "table", "explain", "describe", "desc", "show",
            ],
        }
    }

    /// Functions that reach files, programs, other servers, settings or text that is SQL again. A
    /// name that ends in `*` stands for all that begin so.
    fn refused_functions(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[
                "load_extension",
                "readfile",
                "writefile",
                "edit",
                "fts3_tokenizer",
            ],
            Self::Postgres => &[
                "pg_read_*",
                "pg_ls_*",
                "pg_stat_file",
                "pg_file_*",
                "pg_write_*",
                "pg_current_logfile",
                "lo_*",
                "loread",
                "lowrite",
                "dblink*",
                "set_config",
                "setval",
                "nextval",
                "query_to_xml*",
                "cursor_to_xml*",
                "ts_stat",
                "crosstab*",
                "connectby",
                "xpath_table",
                "pg_terminate_backend",
                "pg_cancel_backend",
                "pg_reload_conf",
                "pg_rotate_logfile",
                "pg_advisory_*",
                "pg_try_advisory_*",
                "pg_notify",
                "pg_logical_*",
                "pg_replication_*",
                "pg_create_*",
                "pg_drop_*",
                "pg_switch_wal",
                "pg_promote",
                "pg_backup_*",
                "pg_export_snapshot",
                "pg_import_system_collations",
                "pg_stat_reset*",
            ],
            Self::MySql => &[
                "load_file",
                "sys_exec",
                "sys_eval",
                "sys_get",
                "sys_set",
                "nextval",
                "setval",
                "get_lock",
                "release_lock",
                "release_all_locks",
                "master_pos_wait",
                "master_gtid_wait",
                "source_pos_wait",
                "wait_for_executed_gtid_set",
            ],
        }
    }
}

/// Words that no query has, unless quoted, behind a point, or as the name of a function.
const REFUSED_WORDS: [&str; 33] = [
    "insert",
    "update",
    "delete",
    "merge",
    "upsert",
    "create",
    "drop",
    "alter",
    "truncate",
    "grant",
    "revoke",
    "attach",
    "detach",
    "vacuum",
    "reindex",
    "copy",
    "call",
    "execute",
    "prepare",
    "deallocate",
    "handler",
    "load",
    "into",
    "outfile",
    "dumpfile",
    "lock",
    "unlock",
    "begin",
    "commit",
    "rollback",
    "savepoint",
    "listen",
    "notify",
];

/// Words between EXPLAIN and the query that is explained.
const EXPLAINING: [&str; 10] = [
    "analyze",
    "analyse",
    "verbose",
    "extended",
    "partitions",
    "format",
    "json",
    "tree",
    "query",
    "plan",
];

/// The statement, without what ends it; or why it is none that is run.
pub(super) fn checked(sql: &str, language: Language) -> Result<&str, String> {
    let tokens = Tokenizer::new(language.dialect(), sql).tokenize();
    let tokens = tokens.map_err(|error| error.to_string())?;
    refuse_hidden_code(sql, &tokens, language)?;
    let mut tokens: Vec<&Token> = tokens.iter().filter(|token| !is_space(token)).collect();
    while tokens.last() == Some(&&Token::SemiColon) {
        tokens.pop();
    }
    if tokens.contains(&&Token::SemiColon) {
        return Err("only one statement can be run at a time".to_owned());
    }
    refuse_beginning(&tokens, language)?;
    refuse_words(&tokens, language)?;
    refuse_functions(&tokens, language)?;
    refuse_parsed(sql, language)?;
    Ok(without_end(sql))
}

fn is_space(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_))
}

/// The text up to the semicolon that ends it, where nothing stands behind that.
fn without_end(sql: &str) -> &str {
    sql.trim_end_matches(|c: char| c == ';' || c.is_whitespace())
}

/// Comments that a server runs, or takes for something else than a comment.
fn refuse_hidden_code(sql: &str, tokens: &[Token], language: Language) -> Result<(), String> {
    if sql.contains('\0') {
        return Err("a statement cannot hold a zero byte".to_owned());
    }
    if language != Language::MySql {
        return Ok(());
    }
    let is_run = ["/*!", "/*M!", "/*m!"]
        .iter()
        .any(|mark| sql.contains(mark));
    let is_unclear = tokens.iter().any(|token| match token {
        Token::Whitespace(Whitespace::SingleLineComment { comment, prefix }) => {
            prefix == "--" && !comment.is_empty() && !comment.starts_with(char::is_whitespace)
        }
        _ => false,
    });
    if is_run || is_unclear {
        return Err("comments that a server runs cannot be used here".to_owned());
    }
    Ok(())
}

fn refuse_beginning(tokens: &[&Token], language: Language) -> Result<(), String> {
    let mut rest = tokens.iter().skip_while(|token| ***token == Token::LParen);
    let first = rest.next().and_then(|token| bare_word(token));
    let Some(first) = first else {
        return Err(not_a_query(language));
    };
    if !language.beginnings().contains(&first.as_str()) {
        return Err(not_a_query(language));
    }
    if first == "explain" {
        return refuse_explained(rest.copied().collect::<Vec<_>>().as_slice(), language);
    }
    Ok(())
}

/// What is explained may be run for it.
fn refuse_explained(tokens: &[&Token], language: Language) -> Result<(), String> {
    let mut rest = tokens;
    // PostgreSQL takes its options in brackets.
    if let [Token::LParen, Token::Word(word), ..] = rest
        && !is_query_word(&word.value)
    {
        let end = rest.iter().position(|token| **token == Token::RParen);
        rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
    }
    while let [first, behind @ ..] = rest {
        let is_option = bare_word(first).is_some_and(|word| EXPLAINING.contains(&word.as_str()));
        if is_option || **first == Token::Eq || **first == Token::LParen {
            rest = behind;
        } else {
            break;
        }
    }
    match rest.first().and_then(|token| bare_word(token)) {
        Some(word) if is_query_word(&word) => Ok(()),
        // A table, whose columns are described.
        Some(_) if language == Language::MySql && rest.len() <= 4 => Ok(()),
        _ => Err(not_a_query(language)),
    }
}

fn is_query_word(word: &str) -> bool {
    let words = ["select", "with", "values", "table"];
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn not_a_query(language: Language) -> String {
    let beginnings = language.beginnings().join(", ").to_uppercase();
    format!(
        "this is no query, and queries are readonly: only statements that begin with {beginnings} are \
         run"
    )
}

/// A word without quotes, in small letters.
fn bare_word(token: &Token) -> Option<String> {
    match token {
        Token::Word(Word {
            value,
            quote_style: None,
            ..
        }) => Some(value.to_lowercase()),
        _ => None,
    }
}

fn refuse_words(tokens: &[&Token], language: Language) -> Result<(), String> {
    for (place, token) in tokens.iter().enumerate() {
        let Some(word) = bare_word(token) else {
            continue;
        };
        let before = place.checked_sub(1).map(|before| tokens[before]);
        let behind = tokens.get(place + 1).copied();
        let is_name = before == Some(&Token::Period);
        let is_function = behind == Some(&Token::LParen)
            && word == "insert"
            && language == Language::MySql
            && before
                .and_then(bare_word)
                .is_none_or(|before| before == "select");
        if REFUSED_WORDS.contains(&word.as_str()) && !is_name && !is_function {
            return Err(format!(
                "this is no query: it has the word {}; a column of that name has to be quoted",
                word.to_uppercase()
            ));
        }
        let next = behind.and_then(bare_word).unwrap_or_default();
        let locks = word == "for" && ["share", "no", "key"].contains(&next.as_str());
        let counts = word == "next" && next == "value";
        if locks || counts {
            return Err("this is no query: it locks rows or takes numbers".to_owned());
        }
    }
    Ok(())
}

fn refuse_functions(tokens: &[&Token], language: Language) -> Result<(), String> {
    for (place, token) in tokens.iter().enumerate() {
        let (Token::Word(word), Some(Token::LParen)) = (token, tokens.get(place + 1)) else {
            continue;
        };
        let name = word.value.to_lowercase();
        let is_refused = |known: &&str| match known.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == **known,
        };
        if language.refused_functions().iter().any(is_refused) {
            return Err(format!(
                "the function {name} reaches beyond the tables and cannot be used here"
            ));
        }
    }
    // A name written with escapes, which nothing but the server reads.
    let escaped = tokens.windows(3).any(|three| match three {
        [Token::Word(word), Token::Ampersand, Token::Word(name)] => {
            word.value.eq_ignore_ascii_case("u") && name.quote_style.is_some()
        }
        _ => false,
    });
    if escaped {
        return Err("names written as U&\"...\" cannot be used here".to_owned());
    }
    Ok(())
}

/// What the parser takes for something else than a query is none.
fn refuse_parsed(sql: &str, language: Language) -> Result<(), String> {
    let parser = Parser::new(language.dialect()).with_recursion_limit(DEPTH);
    let parsed = parser
        .try_with_sql(sql)
        .and_then(|mut parser| parser.parse_statements());
    let Ok(statements) = parsed else {
        return Ok(());
    };
    match statements.as_slice() {
        [statement] if is_query(statement) => Ok(()),
        [_] => Err(not_a_query(language)),
        _ => Err("one statement is run at a time".to_owned()),
    }
}

fn is_query(statement: &Parsed) -> bool {
    match statement {
        Parsed::Explain { statement, .. } => is_query(statement),
        Parsed::Query(_)
        | Parsed::ExplainTable { .. }
        | Parsed::Pragma { .. }
        | Parsed::ShowFunctions { .. }
        | Parsed::ShowVariable { .. }
        | Parsed::ShowStatus { .. }
        | Parsed::ShowVariables { .. }
        | Parsed::ShowCreate { .. }
        | Parsed::ShowColumns { .. }
        | Parsed::ShowDatabases { .. }
        | Parsed::ShowSchemas { .. }
        | Parsed::ShowCharset(_)
        | Parsed::ShowObjects(_)
        | Parsed::ShowTables { .. }
        | Parsed::ShowViews { .. }
        | Parsed::ShowCollation { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
