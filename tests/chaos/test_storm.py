"""Real workers on the embedded cloud, killed at random moments; the long storm is `make chaos`."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.storm import Storm
from tests.support.worlds.storm_field import Field, assert_nothing_happened, say

FEW_BUNDLES = 15
"""With fewer left than this, and kills to come, another workload is dropped."""


def weather(cloud: EmbeddedAws, folder: Path, *, seed: int, kills: int) -> dict[str, Any]:
    """Let a storm rage, wait for the calm, and assert that it has changed nothing; return its figures."""
    field = Field(cloud, folder)
    field.drop(poison=True)
    arguments = ("--threads", "2", "--tasks", "tests.support.data.user_tasks")
    with Storm(cloud, folder, seed, arguments) as storm:
        field.await_fenced(storm.raise_the_dead(field.holds, field.taken_over))
        while storm.kills < kills:
            if field.left() < FEW_BUNDLES:
                field.drop()
            storm.blow(lambda: True, kills=min(4, kills - storm.kills))
        storm.blow(field.over, kills=0)
        field.desk.await_empty(cloud.names.task_queue)
        storm.calm_down()
    figures = field.figures(storm)
    say(figures)
    assert_nothing_happened(field)
    assert field.desk.depth(cloud.names.dead_letter_queue) == 0
    assert figures["fenced writes"] >= 1
    say({"lost": 0, "recorded twice": 0, "wrongly failed": 0})
    return figures


def test_a_short_storm_changes_no_result(cloud: EmbeddedAws, tmp_path: Path) -> None:
    """Workers are killed, stopped and poisoned, messages come twice: nothing is lost, doubled or wrongly failed."""
    assert weather(cloud, tmp_path, seed=1, kills=12)["kills"] >= 12


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_a_long_storm_changes_no_result(cloud: EmbeddedAws, tmp_path: Path) -> None:
    """The same, with a hundred kills."""
    assert weather(cloud, tmp_path, seed=2, kills=100)["kills"] >= 100
