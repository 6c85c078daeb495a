"""Pools of threads and of processes: python -m bench.peers.programs.pools WAY FILE SLOTS."""

import multiprocessing
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import Any

from bench.peers.work import read_lines, report, run_line

CHUNK = 64
"""As many tasks at once as CloudKon's bundles have at most in the cloud."""


def thread_map(lines: Sequence[str], slots: int) -> Sequence[Any]:
    with ThreadPoolExecutor(slots) as pool:
        return list(pool.map(run_line, lines))


def thread_submit(lines: Sequence[str], slots: int) -> Sequence[Any]:
    with ThreadPoolExecutor(slots) as pool:
        return [future.result() for future in [pool.submit(run_line, line) for line in lines]]


def process_map(lines: Sequence[str], slots: int, *, chunk: int) -> Sequence[Any]:
    with ProcessPoolExecutor(slots) as pool:
        return list(pool.map(run_line, lines, chunksize=chunk))


def multiprocessing_map(lines: Sequence[str], slots: int) -> Sequence[Any]:
    with multiprocessing.Pool(slots) as pool:
        results = pool.map(run_line, lines, chunksize=CHUNK)
        pool.close()
        pool.join()  # what was not waited for is not counted
        return results


def joblib(lines: Sequence[str], slots: int) -> Sequence[Any]:
    from joblib import Parallel, delayed  # noqa: PLC0415 (not all peers are installed)

    results: Sequence[Any] = Parallel(n_jobs=slots)(delayed(run_line)(line) for line in lines)
    return results


def mpire(lines: Sequence[str], slots: int) -> Sequence[Any]:
    from mpire import WorkerPool  # noqa: PLC0415 (as above)

    with WorkerPool(n_jobs=slots) as pool:
        results: Sequence[Any] = pool.map(run_line, [(line,) for line in lines], chunk_size=CHUNK)
        return results


WAYS: Mapping[str, Callable[[Sequence[str], int], Sequence[Any]]] = {
    "thread-map": thread_map,
    "thread-submit": thread_submit,
    "process-map": partial(process_map, chunk=CHUNK),
    "process-map-1": partial(process_map, chunk=1),
    "multiprocessing": multiprocessing_map,
    "joblib": joblib,
    "mpire": mpire,
}


def main() -> None:
    way, file, slots = sys.argv[1:]
    began_s = time.perf_counter()
    report(len(WAYS[way](read_lines(file), int(slots))), began_s)


if __name__ == "__main__":
    main()
