"""`stipple readers`: who may sign in to read. Passwords are typed, or read from standard input; never arguments."""

from __future__ import annotations

import argparse
import getpass
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from app.readers import EVERYBODY, Readers
from app.web.audit import audit_command
from retrieval.errors import FixableError
from retrieval.settings import Settings

Subparsers = Any  # argparse names this type only privately
_SHOWN = "(everybody: the community's password)"


def add_commands(subparsers: Subparsers) -> None:
    readers = subparsers.add_parser("readers", help="who may sign in to read: accounts, or one community password")
    actions = readers.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make an account; its password is asked for, or read from standard input")
    add.add_argument("name", metavar="NAME")
    add.add_argument(
        "--admin", action="store_const", const="admin", default="read", dest="role",
        help="also show details of failures",
    )  # fmt: skip
    add.set_defaults(run=_add)
    password = actions.add_parser("password", help="set an account's password, or without NAME the community's")
    password.add_argument("name", metavar="NAME", nargs="?", default=EVERYBODY)
    password.set_defaults(run=_password)
    listed = actions.add_parser("list", help="list who may sign in")
    listed.add_argument("--json", action="store_true", help="print them as one JSON array")
    listed.set_defaults(run=_list)
    remove = actions.add_parser("remove", help="delete an account, or without NAME the community's password")
    remove.add_argument("name", metavar="NAME", nargs="?", default=EVERYBODY)
    remove.set_defaults(run=_remove)


def _add(args: argparse.Namespace, settings: Settings) -> int:
    with _readers(settings) as readers:
        readers.add(args.name, _typed_password(), args.role)
    audit_command(settings, "reader added", reader=args.name, role=args.role)
    print(f"added {args.name}")
    return 0


def _password(args: argparse.Namespace, settings: Settings) -> int:
    with _readers(settings) as readers:
        readers.set_password(args.name, _typed_password())
    audit_command(settings, "password set", reader=args.name)
    print(f"set the password of {_SHOWN if args.name == EVERYBODY else args.name}; its sessions have ended")
    return 0


def _list(args: argparse.Namespace, settings: Settings) -> int:
    with _readers(settings) as readers:
        found = readers.all()
    if args.json:
        print(json.dumps([asdict(account) for account in found], ensure_ascii=False))
        return 0
    for account in found:
        name = _SHOWN if account.name == EVERYBODY else account.name
        print(f"{name:30}  {account.role:5}  made {account.created_at[:10]}")
    return 0


def _remove(args: argparse.Namespace, settings: Settings) -> int:
    with _readers(settings) as readers:
        readers.remove(args.name)
    audit_command(settings, "reader removed", reader=args.name)
    print(f"removed {_SHOWN if args.name == EVERYBODY else args.name}; its sessions have ended")
    return 0


def _typed_password() -> str:
    """
    Raises:
        FixableError: Nothing was typed, or not the same twice.
    """
    if not sys.stdin.isatty():
        typed = sys.stdin.readline().rstrip("\r\n")
        if not typed:
            raise FixableError("standard input has no password", "type it at a terminal, or write it as one line there")
        return typed
    typed = getpass.getpass("password: ")
    if getpass.getpass("again: ") != typed:
        raise FixableError("the two passwords differ", "type the same one twice")
    return typed


@contextmanager
def _readers(settings: Settings) -> Iterator[Readers]:
    path = settings.data_dir / "readers.sqlite"
    try:
        yield Readers(path)
    except (sqlite3.Error, OSError) as error:
        raise FixableError(f"{path} cannot be used: {error}", "make it writable for this user, or delete it") from error
