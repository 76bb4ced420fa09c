"""`stipple keys`: the keys to the API."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from app.api_keys import Keys
from app.web.audit import audit_command
from retrieval.errors import FixableError
from retrieval.settings import Settings

Subparsers = Any  # argparse names this type only privately


def add_commands(subparsers: Subparsers) -> None:
    keys = subparsers.add_parser("keys", help="make, list and revoke keys to the API")
    actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a key; it is shown once")
    add.add_argument("name", metavar="NAME", help="its name: who uses it, or what for")
    right = add.add_mutually_exclusive_group(required=True)
    right.add_argument("--read", action="store_const", const="read", dest="right", help="allow searching and reading")
    right.add_argument(
        "--write", action="store_const", const="write", dest="right", help="also allow putting and deleting posts"
    )
    right.add_argument(
        "--admin", action="store_const", const="admin", dest="right", help="also show the details of failures"
    )
    add.set_defaults(run=_add)
    listed = actions.add_parser("list", help="list all keys")
    listed.add_argument("--json", action="store_true", help="print them as one JSON array")
    listed.set_defaults(run=_list)
    revoke = actions.add_parser("revoke", help="delete a key; it stops working at once")
    revoke.add_argument("name", metavar="NAME")
    revoke.set_defaults(run=_revoke)


def _add(args: argparse.Namespace, settings: Settings) -> int:
    with _keys(settings) as keys:
        print(keys.add(args.name, args.right))
    audit_command(settings, "key added", key=args.name, role=args.right)
    print("keep it now: it is not shown again. Send it as `Authorization: Bearer KEY`", file=sys.stderr)
    return 0


def _list(args: argparse.Namespace, settings: Settings) -> int:
    with _keys(settings) as keys:
        found = keys.all()
    if args.json:
        print(json.dumps([asdict(key) for key in found]))
        return 0
    for key in found:
        print(f"{key.name:30}  {key.right:5}  made {key.created_at[:10]}  last used {key.last_used or 'never'}")
    return 0


def _revoke(args: argparse.Namespace, settings: Settings) -> int:
    with _keys(settings) as keys:
        keys.revoke(args.name)
    audit_command(settings, "key revoked", key=args.name)
    print(f"revoked {args.name}")
    return 0


@contextmanager
def _keys(settings: Settings) -> Iterator[Keys]:
    path = settings.data_dir / "keys.sqlite"
    try:
        yield Keys(path)
    except (sqlite3.Error, OSError) as error:
        raise FixableError(f"{path} cannot be used: {error}", "make it writable for this user, or delete it") from error
