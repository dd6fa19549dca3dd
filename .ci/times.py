"""Whether DuckDB and pandas read the times of an SQLite file as times.

Every column that is declared as a time is read by both, of every table and view, and compared with
what SQLite's own functions make of it.
"""

import datetime
import pathlib
import shutil
import sqlite3
import sys
import tempfile

import duckdb
import duckdb_extension_sqlite
import pandas

UTC = datetime.timezone.utc
# Written in SQLite's SQL: to DuckDB they are no views it could run itself.
WITH_FUNCTIONS_OF_SQLITE = ("v_dora_", "v_review_load", "v_incidents", "v_pipeline_health")


def expected(lake, table, column):
    """The times as SQLite's own functions read them."""
    rows = lake.execute(
        f"""SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', "{column}") FROM "{table}"
            WHERE "{column}" IS NOT NULL"""
    )
    return sorted(datetime.datetime.fromisoformat(text) for (text,) in rows)


def in_duckdb(duck, table, column):
    rows = duck.execute(
        f"""SELECT "{column}", typeof("{column}") FROM lake."{table}" WHERE "{column}" IS NOT NULL"""
    ).fetchall()
    assert all(kind == "TIMESTAMP" for _, kind in rows), f"{table}.{column}: {rows[:3]}"
    return sorted(time.replace(tzinfo=UTC) for time, _ in rows)


def in_pandas(lake, table, column):
    frame = pandas.read_sql(
        f"""SELECT "{column}" AS at FROM "{table}" WHERE "{column}" IS NOT NULL""",
        lake,
        parse_dates=["at"],
    )
    kind = str(frame["at"].dtype)
    assert kind.startswith("datetime64"), f"{table}.{column}: {kind}"
    return sorted(time.to_pydatetime() for time in frame["at"])


def main(path):
    lake = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    duck = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    (extension,) = pathlib.Path(duckdb_extension_sqlite.__file__).parent.rglob("*.duckdb_extension")
    with tempfile.TemporaryDirectory() as folder:
        # A file is taken for the extension that its name says.
        named = shutil.copy(extension, pathlib.Path(folder) / "sqlite_scanner.duckdb_extension")
        duck.execute(f"LOAD '{named}'")
    duck.execute(f"ATTACH '{path}' AS lake (TYPE sqlite, READ_ONLY)")
    columns = lake.execute(
        """SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
           WHERE m.type IN ('table', 'view') AND c.type = 'timestamp'"""
    ).fetchall()
    times, views = 0, set()
    for table, column in columns:
        found = expected(lake, table, column)
        if not found:
            continue
        assert in_pandas(lake, table, column) == found, f"pandas: {table}.{column}"
        if not table.startswith(WITH_FUNCTIONS_OF_SQLITE):
            assert in_duckdb(duck, table, column) == found, f"DuckDB: {table}.{column}"
            views.update([table] if table.startswith("v_") else [])
        times += len(found)
    assert len(columns) > 100 and times > 1000 and views, (len(columns), times, views)
    print(f"DuckDB and pandas read {times} times in {len(columns)} columns, of {sorted(views)} too")


main(pathlib.Path(sys.argv[1]).resolve())
