"""A run in which everything happens once: tasks that succeed, fail and are tried again, a worker that dies, videos."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from animoto.landscapes import landscape
from cli.system.processes import cli

_ORDERS, _VIDEOS, _PICTURES = 520, 4, 6
_HANDLERS = '''
"""The shop's nightly tasks, with the troubles that such tasks have."""

import os
import random
import time

from cloudkon import task

STOCK = {"apples": 3, "pears": 4}


@task("invoice")
def invoice(order: int) -> str:
    chance = random.Random(order)
    time.sleep(chance.lognormvariate(-3.2, 0.55))
    if order % 83 == 0:
        time.sleep(0.9)
    if order % 47 == 0:
        raise KeyError(chance.choice(["plums", "cherries"]))
    if order % 31 == 0 and random.random() < 0.6:
        raise ConnectionError("503 Service Unavailable: the printer's queue is full")
    if order == 333:
        os._exit(137)
    return f"invoice-{order}.pdf"
'''


def run_mixed(folder: Path, environment: Mapping[str, str]) -> None:
    """Run the workload in this folder, in two processes; its job is the latest of the environment's ledger."""
    (folder / "shop.py").write_text(_HANDLERS, encoding="utf-8")
    (folder / "night.txt").write_text("".join(f"{line}\n" for line in _lines(folder)), encoding="utf-8")
    options = ("night.txt", "--tasks", "shop", "-t", "4", "--processes", "2", "--retries", "2")
    subprocess.run(cli("run", "LOCAL", *options), cwd=folder, env={**os.environ, **environment}, check=False)


def _lines(folder: Path) -> Iterator[str]:
    for order in range(1, _ORDERS + 1):
        yield f"invoice {order}"
        if order % (_ORDERS // _VIDEOS) == 40:
            yield json.dumps({"task": "animoto", "images": list(_pictures(folder, order)), "transition": "fade"})
    yield 'invoice "521'
    yield "receipt 522"


def _pictures(folder: Path, video: int) -> Iterator[str]:
    for number in range(_PICTURES):
        file = folder / f"{video}-{number}.jpg"
        landscape(video + number, f"Order {video}, {number + 1}", 960, 540).save(file, "JPEG", quality=85)
        yield str(file)
