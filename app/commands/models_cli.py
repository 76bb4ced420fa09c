"""`stipple models`: the catalog of models that write, and what is on disk of it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from app.models.catalog import CATALOG, CatalogModel, catalog_model
from app.models.model_folder import ModelState, damage, models_folder, state_of
from retrieval.errors import FixableError, ModelMissing
from retrieval.settings import Settings

Subparsers = Any  # argparse names this type only privately


def add_commands(subparsers: Subparsers) -> None:
    models = subparsers.add_parser("models", help="list, pull, verify and remove models that write answers")
    models.add_argument("--json", action="store_true", help="print the list as one JSON array")
    models.set_defaults(run=_list)
    actions = models.add_subparsers(metavar="ACTION")
    pulled = actions.add_parser("pull", help="download a model, or the rest of it")
    pulled.add_argument("name", metavar="NAME", nargs="?", help="without it: the model that STIPPLE_LLM names")
    pulled.set_defaults(run=_pull)
    verify = actions.add_parser("verify", help="compare a model with its publisher's sha256")
    verify.add_argument("name", metavar="NAME", nargs="?", help="without it: all that are there")
    verify.set_defaults(run=_verify)
    removed = actions.add_parser("remove", help="delete a model's file, and what a pull of it has begun")
    removed.add_argument("name", metavar="NAME")
    removed.set_defaults(run=_remove)


def _list(args: argparse.Namespace, settings: Settings) -> int:
    folder = models_folder(settings)
    found = [(model, state_of(model, folder)) for model in CATALOG]
    if args.json:
        print(json.dumps([_facts(model, state, settings) for model, state in found]))
        return 0
    for model, state in found:
        used = "used" if settings.llm == model.name else ""
        print(
            f"{model.name:20}  {model.size_bytes / 1e9:5.2f} GB  {_told(model, state):24}  {used:4}  {model.licence}  "
            f"{', '.join(model.languages)}"
        )
    if catalog_model(settings.llm) is None:
        print("STIPPLE_LLM names none of these; `stipple doctor` checks what it names", file=sys.stderr)
    return 0


def _told(model: CatalogModel, state: ModelState) -> str:
    share = f"{state.size_bytes / model.size_bytes:.0%}"
    damaged = f"damaged: {state.size_bytes:,} bytes"
    return {"absent": "not here", "begun": f"begun, {share} is here", "damaged": damaged, "whole": "here"}[state.kind]


def _facts(model: CatalogModel, state: ModelState, settings: Settings) -> dict[str, object]:
    return {
        "name": model.name,
        "repository": model.repository,
        "path": str(models_folder(settings) / model.file),
        "size_bytes": model.size_bytes,
        "sha256": model.sha256,
        "licence": model.licence,
        "languages": model.languages,
        "context_tokens": model.context_tokens,
        "state": state.kind,
        "here_bytes": state.size_bytes,
        "used": settings.llm == model.name,
    }


def _pull(args: argparse.Namespace, settings: Settings) -> int:
    from app.models.pull import pull

    model = catalog_model(settings.llm) if args.name is None else _named(args.name)
    if model is None:
        print("STIPPLE_LLM names no model of the catalog: nothing to pull")
        return 0
    folder, started = models_folder(settings), time.monotonic()
    bar = _Bar(model)
    try:
        path = pull(model, folder, seen=bar.seen, tell=bar.tell)
    except KeyboardInterrupt:
        bar.close()
        print(f"what was pulled is kept; `stipple models pull {model.name}` goes on from there", file=sys.stderr)
        raise
    finally:
        bar.close()
    if bar.began:
        print(f"{path}: {model.size_bytes:,} bytes, sha256 as published, in {time.monotonic() - started:.0f} s")
    else:
        print(f"{path}: {model.size_bytes:,} bytes, sha256 as published; it was here already")
    return 0


def _verify(args: argparse.Namespace, settings: Settings) -> int:
    folder = models_folder(settings)
    if args.name is not None:
        model = _named(args.name)
        if state_of(model, folder).kind in {"absent", "begun"}:
            raise ModelMissing(f"{model.name} is not in {folder}", f"run `stipple models pull {model.name}`")
        models = [model]
    else:
        models = [model for model in CATALOG if state_of(model, folder).kind in {"whole", "damaged"}]
    bad: list[CatalogModel] = []
    for model in models:
        try:
            wrong = damage(model, folder / model.file)
        except OSError as error:
            wrong = f"it cannot be read: {error.strerror}"
        print(f"{model.name}: {'whole, sha256 as published' if wrong is None else f'damaged: {wrong}'}")
        bad += [model] if wrong is not None else []
    if not models:
        print(f"no model of the catalog is in {folder}")
    if bad:
        pulls = ", ".join(f"`stipple models pull {model.name}`" for model in bad)
        raise ModelMissing(
            f"{', '.join(model.name for model in bad)}: damaged", f"run {pulls}, which replaces the file"
        )
    return 0


def _remove(args: argparse.Namespace, settings: Settings) -> int:
    from app.models.pull import remove

    model = _named(args.name)
    freed = remove(model, models_folder(settings))
    print(f"removed {model.name}, {freed:,} bytes" if freed else f"{model.name} is not here")
    if freed and settings.llm == model.name:
        print("STIPPLE_LLM still names it: from the next start on, answers are quotes", file=sys.stderr)
    return 0


def _named(name: str) -> CatalogModel:
    model = catalog_model(name)
    if model is None:
        raise FixableError(f"there is no model {name}", f"choose from {', '.join(model.name for model in CATALOG)}")
    return model


class _Bar:
    """Progress on standard error; every 10 s where that is a file, since the log of a container is one."""

    def __init__(self, model: CatalogModel) -> None:
        self._model = model
        self._bar: Any = None
        self.began = False

    def seen(self, size_bytes: int) -> None:
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(
                total=self._model.size_bytes,
                initial=size_bytes,
                desc=self._model.name,
                unit="B",
                unit_scale=True,
                mininterval=0.1 if sys.stderr.isatty() else 10,
                dynamic_ncols=True,
            )
            self.began = True
        self._bar.update(size_bytes - self._bar.n)  # less than nothing where a source's bytes were wrong

    def tell(self, line: str) -> None:
        from tqdm import tqdm

        tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
