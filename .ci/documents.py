"""Runs the Python of the documents and of the notebook, on the database of the demo.

Each page runs in a process of its own, in a folder that has the database under the names that the
documents use.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import textwrap

import duckdb_extension_sqlite

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A reader's DuckDB downloads its extension by itself.
INSTALL = "import duckdb; duckdb.sql(\"INSTALL '{}'\")"


def pages():
    """Name and code of each page that has Python, and of the notebook."""
    for page in sorted((ROOT / "docs").glob("*.md")):
        blocks = page.read_text().split("```python\n")[1:]
        code = "".join(textwrap.dedent(block.split("```")[0]) for block in blocks)
        if code:
            yield page.name, code
    notebook = ROOT / "examples/notebook/delivery.ipynb"
    cells = json.loads(notebook.read_text())["cells"]
    assert not any(cell.get("outputs") for cell in cells), f"{notebook} has outputs: clear them"
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    yield notebook.name, "\n".join("".join(cell["source"]) for cell in code)


def main(database):
    (extension,) = pathlib.Path(duckdb_extension_sqlite.__file__).parent.rglob("*.duckdb_extension")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("headwater.db", "headwater-demo.db"):
            shutil.copy(database, pathlib.Path(folder, name))
        environment = {**os.environ, "HOME": folder, "MPLBACKEND": "agg"}

        def run(code):
            command = [sys.executable, "-W", "error", "-c", code]
            subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)

        run(INSTALL.format(extension))
        names = []
        for name, code in pages():
            print(f"running {name}")
            run(code)
            names.append(name)
        assert len(names) > 2, names


main(pathlib.Path(sys.argv[1]).resolve())
