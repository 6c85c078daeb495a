"""What a job has left that no result names, from rows and files made up."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cloudkon.ledger.bundle import BundleKey
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.results import TaskState
from cloudkon.local.store import FolderStore
from cloudkon.ports import StoredObject, UnfinishedUpload
from cloudkon.reports.orphans import Orphan, Why, orphans
from tests.support.data.recorded import Recorded, job, result, row

JOB = "tasks-abc"


class Shelf:
    """An inventory of these keys."""

    def __init__(self, objects: Sequence[str], unfinished: Sequence[str] = ()) -> None:
        self._objects, self._unfinished = objects, unfinished

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        return (StoredObject(key, 1, 1_000) for key in self._objects if key.startswith(prefix))

    def unfinished(self, prefix: str) -> Iterator[UnfinishedUpload]:
        return (UnfinishedUpload(key, f"id of {key}", 1_000) for key in self._unfinished if key.startswith(prefix))

    def remove(self, what: Sequence[StoredObject | UnfinishedUpload]) -> Sequence[str]:
        raise AssertionError("whoever lists removes nothing")


def found(rows: list[BundleRow], shelf: Shelf) -> dict[str, Why]:
    return {orphan.what.key: orphan.why for orphan in orphans(Recorded(job(), rows), shelf, job())}


def key(attempt: int, index: int = 0, name: str = "video.mp4", bundle: int = 0) -> str:
    return f"outputs/{BundleKey(JOB, 0, bundle)}/{attempt}/{index}/{name}"


def stored(attempt: int, index: int = 0) -> BundleRow:
    made = replace(result(attempt=attempt), output=key(attempt, index))
    return row([made], owners=("w1", "w2"))


def test_the_run_that_is_named_keeps_all_that_it_stored() -> None:
    """What stands beside the named file is of the same run, and stays; another attempt's files are orphans."""
    shelf = Shelf([key(1), key(1, name="sheet.jpg"), key(2), key(2, name="sheet.jpg")])
    assert found([stored(2)], shelf) == {key(1): Why.REPLACED, key(1, name="sheet.jpg"): Why.REPLACED}


def test_a_run_that_failed_leaves_orphans() -> None:
    """A failed task names no output, whatever it stored before; its neighbours keep theirs."""
    rows = [row([result(TaskState.FAILED, error="no"), replace(result(), output=key(1, 1))])]
    assert found(rows, Shelf([key(1), key(1, 1)])) == {key(1): Why.FAILED}


def test_large_values_are_kept_like_outputs() -> None:
    """A value that the ledger names by its key stays, and so does one beside an output."""
    named, late = (f"values/{BundleKey(JOB, 0, 0)}/{attempt}/0.json" for attempt in (2, 1))
    made = replace(result(attempt=2), output=named)
    assert found([row([made], owners=("w1", "w2"))], Shelf([named, late])) == {late: Why.REPLACED}
    beside = replace(made, output=key(2), value={"key": named})
    assert found([row([beside], owners=("w1", "w2"))], Shelf([named, late])) == {late: Why.REPLACED}


@pytest.mark.parametrize(
    ("state", "ended"), [(BundleState.LEASED, 1), (BundleState.RELEASED, 2), (BundleState.DONE, 2)]
)
def test_who_holds_the_lease_may_still_name_it(state: BundleState, ended: int) -> None:
    """Of a bundle that is held, only what earlier attempts left is an orphan; unfinished uploads likewise."""
    held = row([None], state=state, owners=("w1", "w2"))
    keys = [key(1), key(2)]
    assert list(found([held], Shelf(keys))) == keys[:ended]
    assert list(found([held], Shelf([], keys))) == keys[:ended]


def test_an_unfinished_upload_is_never_named() -> None:
    """An upload that the run which succeeded did not finish is an orphan too."""
    assert found([stored(2)], Shelf([], [key(2, name="other.bin")])) == {key(2, name="other.bin"): Why.UNFINISHED}


def test_what_the_ledger_does_not_know_stays() -> None:
    """Nothing is called an orphan for want of a row, for a younger claim's sake, or because its key reads otherwise."""
    strange = [f"outputs/{JOB}/notes.txt", f"outputs/{JOB}/00000.000000/x/0/a", "outputs/tasks-abcd/00000.000000/1/0/a"]
    assert found([stored(2)], Shelf([key(1, bundle=7), key(3), *strange])) == {}


def test_what_is_young_is_left_alone() -> None:
    """An orphan is ripe once a lease has gone by since it was written."""
    orphan = Orphan(StoredObject("k", 1, since_ms=5_000), Why.REPLACED)
    assert not orphan.is_ripe(125_000, 120_000)
    assert orphan.is_ripe(125_001, 120_000)


def test_files_of_a_folder(tmp_path: Path) -> None:
    """Over a folder the same is found, copies that broke off included, and can be removed."""
    store = FolderStore(tmp_path)
    store.write(key(1), b"old")
    store.write(key(2), b"new")
    part = tmp_path / Path(key(1)).with_name(f".{'0' * 32}.part")
    part.write_bytes(b"ne")
    told = list(orphans(Recorded(job(), [stored(2)]), store, job()))
    assert [(orphan.what.key, orphan.why) for orphan in told] == [
        (key(1), Why.REPLACED),
        (part.relative_to(tmp_path).as_posix(), Why.UNFINISHED),
    ]
    assert store.remove([orphan.what for orphan in told]) == []
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == [key(2)]
    assert not part.parent.exists()
