use super::*;

const ALL: [Language; 3] = [Language::Sqlite, Language::Postgres, Language::MySql];

fn assert_runs(sql: &str, languages: &[Language]) {
    for &language in languages {
        let checked = checked(sql, language);
        assert!(checked.is_ok(), "{language:?} {sql}: {checked:?}");
    }
}

fn assert_refused(sql: &str, languages: &[Language]) {
    for &language in languages {
        let checked = checked(sql, language);
        assert!(checked.is_err(), "{language:?} runs {sql}");
    }
}

#[test]
fn what_analysts_write_is_run() {
    use Language::{MySql, Postgres, Sqlite};
    for sql in [
        "SELECT 1",
        " select count(*) from pull_requests ; ",
        "SELECT * FROM commits -- what there is\n;",
        "/* all */ SELECT 1 /* of it */",
        "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 9) SELECT n FROM t",
        "SELECT id, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) FROM t",
        "SELECT CASE WHEN a = 'DELETE FROM x; --' THEN 1 END FROM t",
        "(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1 LIMIT 5",
        "SELECT replace(title, 'a', 'b'), substr(title, 1, 3) FROM t",
        "SELECT t.update, t.key FROM t",
        "SELECT created_date, updated_date, additions, deletions, status FROM pull_requests",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)",
        "SELECT DISTINCT a FROM t GROUP BY a HAVING count(*) > 1 ORDER BY a DESC LIMIT 3 OFFSET 2",
        "SELECT coalesce(a, 0) / nullif(b, 0) FROM t",
        "EXPLAIN SELECT 1",
        "SELECT 'it''s; fine'",
        "SELECT cast(a AS integer) FROM t LEFT JOIN u ON t.id = u.id",
    ] {
        assert_runs(sql, &ALL);
    }
    assert_runs("VALUES (1), (2)", &[Sqlite, Postgres]);
    assert_runs("TABLE commits", &[Postgres, MySql]);
    assert_runs("SELECT \"update\" FROM t", &[Sqlite, Postgres]);
    for sql in [
        "PRAGMA table_info(commits)",
        "EXPLAIN QUERY PLAN SELECT 1",
        "SELECT strftime('%Y-%m', created_date) FROM t",
        "SELECT json_extract(data, '$.id'), data ->> '$.a' FROM t",
        "SELECT [update], `delete` FROM t",
        "SELECT printf('%.2f', 1.5), group_concat(a, ';') FILTER (WHERE a > 1) FROM t",
    ] {
        assert_runs(sql, &[Sqlite]);
    }
    for sql in [
        "SHOW server_version",
        "EXPLAIN (ANALYZE, BUFFERS) SELECT 1",
        "EXPLAIN ANALYZE VERBOSE WITH a AS (SELECT 1) SELECT * FROM a",
        "SELECT date_trunc('week', created_date)::date, percentile_cont(0.5) WITHIN GROUP (ORDER BY n) FROM t",
        "SELECT a ->> 'b', a @> '{}'::jsonb FROM t, LATERAL (SELECT 1) x",
        "SELECT count(*) FILTER (WHERE a ~* 'x') FROM t",
        "SELECT substring('abc' from 1 for 2), extract(epoch from now() - created_date) FROM t",
        "SELECT $$; delete $$, E'\\'; x'",
        "SELECT generate_series(now() - interval '1 week', now(), interval '1 day')",
        "SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b",
        "SELECT pg_sleep(0)",
    ] {
        assert_runs(sql, &[Postgres]);
    }
    for sql in [
        "SHOW TABLES",
        "SHOW FULL COLUMNS FROM commits",
        "DESCRIBE commits",
        "EXPLAIN commits",
        "EXPLAIN FORMAT=JSON SELECT 1",
        "SELECT `update` FROM t",
        "SELECT INSERT('abc', 1, 1, 'x')",
        "SELECT date_format(created_date, '%Y-%m'), timestampdiff(hour, a, b) FROM t",
        "SELECT group_concat(a ORDER BY b SEPARATOR '; ') FROM t",
        "SELECT 'a\\'; x', \"b; c\" # end",
        "SELECT 5 - -3",
    ] {
        assert_runs(sql, &[MySql]);
    }
}

#[test]
fn what_writes_or_reaches_further_is_refused() {
    use Language::{MySql, Postgres, Sqlite};
    for sql in [
        "",
        ";",
        "-- nothing",
        "DELETE FROM boards",
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM boards",
        "INSERT INTO t VALUES (1)",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
        "WITH a AS (SELECT 1) DELETE FROM t",
        "UPDATE t SET a = 1",
        "CREATE TABLE t (a int)",
        "DROP TABLE t",
        "BEGIN",
        "COMMIT",
        "SET x = 1",
        "EXPLAIN DELETE FROM t",
        "EXPLAIN ANALYZE DELETE FROM t",
        "VACUUM INTO 'x'",
        "ATTACH 'x' AS y",
        "SELECT * INTO t FROM u",
        "CALL f()",
        "REPLACE INTO t VALUES (1)",
        "SELECT 1 FOR UPDATE",
        "SELECT '",
    ] {
        assert_refused(sql, &ALL);
    }
    for sql in [
        "BEGIN NOT ATOMIC SET SESSION TRANSACTION READ WRITE; DELETE FROM boards; END",
        "SELECT 1 INTO OUTFILE '/x'",
        "SELECT 1 INTO DUMPFILE '/x'",
        "SELECT load_file('/etc/passwd')",
        "SELECT LOAD_FILE ('/etc/passwd')",
        "SELECT `load_file`('/etc/passwd')",
        "SELECT 1 /*!50000 INTO OUTFILE '/x' */",
        "SELECT 1 /*M!100000 INTO OUTFILE '/x' */",
        "SELECT 1 --load_file('/etc/passwd')",
        "SET STATEMENT max_statement_time=1 FOR SELECT 1",
        "PREPARE s FROM 'DELETE FROM t'",
        "EXECUTE IMMEDIATE 'DELETE FROM t'",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "HANDLER t OPEN",
        "SELECT * FROM t LOCK IN SHARE MODE",
        "SELECT nextval(s)",
        "SELECT NEXT VALUE FOR s",
        "ANALYZE TABLE t",
        "DO sleep(1)",
        "FLUSH TABLES",
        "KILL 1",
    ] {
        assert_refused(sql, &[MySql]);
    }
    for sql in [
        "COPY t TO PROGRAM 'x'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_catalog.pg_read_binary_file('/etc/passwd')",
        "SELECT \"pg_read_file\"('/etc/passwd')",
        "SELECT U&\"pg_read\\005Ffile\"('/etc/passwd')",
        "SELECT * FROM pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT * FROM dblink('host=x', 'select 1') AS t(a int)",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT query_to_xml('select 1', true, true, '')",
        "SELECT pg_terminate_backend(1)",
        "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
        "EXPLAIN (ANALYZE) UPDATE t SET a = 1",
        "DO $$ BEGIN DELETE FROM t; END $$",
        "SELECT 1 FOR SHARE",
        "SELECT 1 FOR NO KEY UPDATE",
        "EXPLAIN EXECUTE s",
        "LISTEN x",
        "RESET ALL",
    ] {
        assert_refused(sql, &[Postgres]);
    }
    for sql in [
        "SELECT load_extension('x')",
        "SELECT writefile('x', 'y')",
        "SELECT readfile('x')",
        "REINDEX",
        "ANALYZE",
    ] {
        assert_refused(sql, &[Sqlite]);
    }
}
