"""Who may sign in: passwords kept as argon2 hashes, sessions that are signed, end, and cannot be made up."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.readers import EVERYBODY, Readers, local_headers
from retrieval.errors import FixableError

DAY_S = 86400.0


@pytest.fixture
def readers(tmp_path: Path) -> Readers:
    return Readers(tmp_path / "readers.sqlite")


def test_a_password_is_kept_as_an_argon2_hash_in_a_file_of_ones_own(readers: Readers, tmp_path: Path) -> None:
    readers.add("ann", "correct horse")
    [file] = tmp_path.iterdir()
    assert b"$argon2id$" in file.read_bytes()
    assert b"correct horse" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_session_says_who_signed_in_until_it_is_too_old(readers: Readers) -> None:
    readers.add("Ann", "correct horse", "admin")
    session = readers.sign_in("ann", "correct horse")
    assert session is not None
    found = readers.signed_in(session, DAY_S)
    assert found is not None
    assert (found.name, found.role) == ("Ann", "admin")
    assert readers.signed_in(session, -1) is None
    assert "correct" not in session


def test_the_same_password_typed_with_an_input_method_is_the_same(readers: Readers) -> None:
    readers.set_password(EVERYBODY, "ｃａｆé１２３４")
    assert readers.sign_in(EVERYBODY, "café1234") is not None
    assert readers.sign_in(EVERYBODY, "café1235") is None


@pytest.mark.parametrize("password", ["", "short", "x" * 1001])
def test_a_password_that_is_too_short_or_too_long_is_not_set(readers: Readers, password: str) -> None:
    with pytest.raises(FixableError, match="characters"):
        readers.add("ann", password)
    with pytest.raises(FixableError, match="characters"):
        readers.set_password(EVERYBODY, password)
    assert readers.all() == []


@pytest.mark.parametrize("name", ["", "  ", "*", "＊", "two words", "a\nb", "x" * 61])
def test_a_name_that_cannot_be_typed_or_told_apart_is_no_accounts(readers: Readers, name: str) -> None:
    with pytest.raises(FixableError, match="not a valid name"):
        readers.add(name, "correct horse")


def test_of_two_accounts_that_differ_in_case_there_is_one(readers: Readers) -> None:
    readers.add("Ann", "correct horse")
    with pytest.raises(FixableError, match="exists already"):
        readers.add("ＡＮＮ", "correct horse")


def test_who_is_not_there_cannot_be_changed_or_removed(readers: Readers) -> None:
    for name, says in (("mo", "no account is named 'mo'"), (EVERYBODY, "no community password")):
        with pytest.raises(FixableError, match=says):
            readers.remove(name)
    with pytest.raises(FixableError, match="no account is named 'mo'"):
        readers.set_password("mo", "correct horse")


def test_one_session_that_ends_is_the_only_one(readers: Readers) -> None:
    readers.add("ann", "correct horse")
    first, second = (readers.sign_in("ann", "correct horse") or "" for _ in range(2))
    readers.end(first, DAY_S)
    readers.end("nonsense", DAY_S)
    assert readers.signed_in(first, DAY_S) is None
    assert readers.signed_in(second, DAY_S) is not None


def test_a_session_of_another_folder_is_none_of_this_one(readers: Readers, tmp_path: Path) -> None:
    other = Readers(tmp_path / "other.sqlite")
    for one in (readers, other):
        one.add("ann", "correct horse")
    assert readers.signed_in(other.sign_in("ann", "correct horse") or "", DAY_S) is None


def test_a_commands_credential_is_no_session_and_a_session_no_credential(readers: Readers) -> None:
    readers.add("ann", "correct horse")
    credential, session = readers.local_credential("0a1b"), readers.sign_in("ann", "correct horse") or ""
    assert readers.is_local(credential, "0a1b")
    assert not readers.is_local(credential, "2c3d")
    assert not readers.is_local(credential, "")
    assert not readers.is_local(session, "0a1b")
    assert readers.signed_in(credential, DAY_S) is None


def test_a_command_says_nothing_where_nobody_signs_in_or_the_file_is_not_its_own(tmp_path: Path) -> None:
    assert local_headers(tmp_path, "0a1b") == {}
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "readers.sqlite").write_bytes(b"damaged" * 1000)
    assert local_headers(tmp_path, "0a1b") == {}


@given(st.text(max_size=200))
def test_what_was_made_up_is_no_session(tmp_path_factory: pytest.TempPathFactory, made_up: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "made-up"
    readers = Readers(folder / "readers.sqlite")
    readers.prepare()
    assert readers.signed_in(made_up, DAY_S) is None
    assert not readers.is_local(made_up, "0a1b")
