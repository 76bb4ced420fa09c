"""Keys: shown once, kept as hashes, and valid as long as their file can be read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from app.api_keys import Keys


def test_a_key_is_valid_also_where_its_use_cannot_be_written_down(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite"
    shown = Keys(path).add("reader", "read")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TRIGGER full BEFORE UPDATE ON keys BEGIN SELECT raise(ABORT, 'disk full'); END")
    found = Keys(path).find(shown)
    assert found is not None
    assert found.name == "reader"
    assert Keys(path).all()[0].last_used == ""


def test_the_day_of_a_keys_use_is_written_down(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.sqlite")
    keys.find(keys.add("reader", "read"))
    assert keys.all()[0].last_used != ""
