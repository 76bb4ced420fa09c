"""What the compose files promise. No Docker runs here: they are read, not started."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from retrieval.settings import Settings

ROOT = Path(__file__).parents[2]
ONE, THREE = ROOT / "compose.yaml", ROOT / "docs" / "examples" / "compose.cluster.yaml"


def read(path: Path) -> dict[str, Any]:
    said: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return said


@pytest.mark.parametrize("path", [ONE, THREE], ids=["one", "three"])
def test_services_name_images_volumes_and_settings_that_there_are(path: Path) -> None:
    said = read(path)
    services = said["services"]
    for name, service in services.items():
        image = service["image"]
        assert image == "stipple" or re.search(r":v?\d+\.\d+", image), f"{name} is pinned to no version"
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in said["volumes"]
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is published beyond this machine"
        depends = service.get("depends_on", [])
        assert set(depends) <= set(services)
        for variable in service.get("environment", {}):
            if variable.startswith("STIPPLE_"):
                assert variable.removeprefix("STIPPLE_").lower() in Settings.model_fields
    build = services["stipple"]["build"]
    assert (path.parent / build / "Dockerfile").resolve() == ROOT / "Dockerfile"


@pytest.mark.parametrize("path", [ONE, THREE], ids=["one", "three"])
def test_both_sides_have_the_same_key_and_none_is_written_down(path: Path) -> None:
    services = read(path)["services"]
    key = services["stipple"]["environment"]["STIPPLE_QDRANT_API_KEY"]
    assert key.startswith("${STIPPLE_QDRANT_API_KEY:?")  # without one, compose refuses to start
    nodes = [service for service in services.values() if service["image"].startswith("qdrant/")]
    assert nodes
    for node in nodes:
        assert node["environment"]["QDRANT__SERVICE__API_KEY"] == key
        assert "/readyz" in node["healthcheck"]["test"][-1]


def test_both_files_and_the_documents_name_one_version_of_qdrant() -> None:
    named = {
        found
        for path in (ONE, THREE, ROOT / "docs" / "operating.md")
        for found in re.findall(r"qdrant/qdrant:(v[\d.]+)", path.read_text("utf-8"))
    }
    assert len(named) == 1


def test_the_three_nodes_find_each_other_and_a_shard_outlives_one() -> None:
    services = read(THREE)["services"]
    nodes = [name for name, service in services.items() if service["image"].startswith("qdrant/")]
    assert len(nodes) == 3
    founders = [name for name in nodes if "--bootstrap" not in services[name]["command"]]
    assert len(founders) == 1
    for name in nodes:
        command = services[name]["command"]
        assert command[command.index("--uri") + 1] == f"http://{name}:6335"
        assert services[name]["environment"]["QDRANT__CLUSTER__ENABLED"] == "true"
        if name not in founders:
            assert command[command.index("--bootstrap") + 1] == f"http://{founders[0]}:6335"
    balance = read(THREE)["configs"]["balance"]["content"]
    assert all(f"{name}:6333 check" in balance for name in nodes)
    asked = services["stipple"]["environment"]
    assert (asked["STIPPLE_QDRANT_SHARDS"], asked["STIPPLE_QDRANT_REPLICAS"]) == ("6", "2")


def test_compose_takes_the_default_models() -> None:
    asked = read(ONE)["services"]["stipple"]["environment"]
    for name in ("embedding_model", "llm"):
        variable = f"STIPPLE_{name.upper()}"
        assert asked[variable] == f"${{{variable}:-{Settings.model_fields[name].default}}}"


def test_a_run_pulls_the_writer_before_it_serves_and_serves_where_that_fails() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nrun: ")[2].split("\n\n")[0].splitlines()
    assert recipe[-2].startswith("\t-$(BIN)/stipple models pull")
    assert recipe[-1] == "\t$(BIN)/stipple serve"


def test_the_image_runs_without_a_compiler_and_not_as_root() -> None:
    last = (ROOT / "Dockerfile").read_text("utf-8").rpartition("\nFROM ")[2]
    assert "build-essential" not in last
    assert last.index("USER stipple") < last.index("CMD [")
    assert "HEALTHCHECK" in last
