"""Jobs that are paused and resumed at random moments while workers are killed, and resumes that are cut short."""

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cloudkon.ledger.lease import BundleState
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.storm import Storm
from tests.support.worlds.storm_field import BUNDLE, TASKS, Field, assert_nothing_happened, say

CUT_SHORT = 0.4
"""Of the resumes."""
UNTIL_CUT_S = (0.3, 1.5)
"""From the start of its process on; it takes about half a second to reach AWS."""


BUNDLES = TASKS // BUNDLE
FEW_BUNDLES = 25
"""With fewer left than this, another workload is dropped, so that there is always something to pause."""


class Hand:
    """Pauses and resumes jobs, as its seed has it."""

    def __init__(self, aws: EmbeddedAws, seed: int) -> None:
        self._aws, self._dice = aws, random.Random(seed)
        self.did = {"pauses": 0, "resumes": 0, "resumes cut short": 0}

    def turn(self, jobs: list[str]) -> None:
        """Pause the latest job, or resume one of all."""
        if not self.did["pauses"] or self._dice.random() < 0.5:
            self.did["pauses"] += self._aws.run("pause", jobs[-1]).returncode == 0
        elif self._dice.random() < CUT_SHORT:
            self._cut_resume_short(self._dice.choice(jobs))
        else:
            self.resume(self._dice.choice(jobs))

    def resume(self, job: str) -> None:
        answer = self._aws.run("resume", job)
        assert answer.returncode == 0, answer.stderr
        self.did["resumes"] += 1

    def _cut_resume_short(self, job: str) -> None:
        command = [sys.executable, "-m", "cli.main", "resume", job]
        with subprocess.Popen(command, env=dict(self._aws.environment), stderr=subprocess.DEVNULL) as process:
            threading.Event().wait(self._dice.uniform(*UNTIL_CUT_S))
            process.kill()
        self.did["resumes cut short"] += 1


def on_and_off(cloud: EmbeddedAws, folder: Path, *, seed: int, turns: int) -> dict[str, int]:
    """Pause, resume and kill at random moments, resume at last, and assert that it has changed nothing."""
    field, hand = Field(cloud, folder), Hand(cloud, seed)
    arguments = ("--threads", "2", "--tasks", "tests.support.data.user_tasks")
    with Storm(cloud, folder, seed, arguments) as storm:
        for _ in range(turns):
            if field.left() < FEW_BUNDLES:
                field.drop()
                eventually(lambda: field.rows(field.jobs[-1]))
            hand.turn(field.jobs)
            storm.blow(lambda: True, kills=1)
        for job in field.jobs:
            if any(row.state is not BundleState.DONE for row in field.rows(job)) or len(field.rows(job)) < BUNDLES:
                hand.resume(job)
        storm.blow(field.over, kills=0)
        field.desk.take(cloud.names.parked_queue)  # copies that were parked while a job was resumed: all is recorded
        field.desk.await_empty(cloud.names.task_queue)
        storm.calm_down()
    say(hand.did | field.figures(storm))
    assert_nothing_happened(field)
    assert field.desk.depth(cloud.names.dead_letter_queue) == 0
    say({"lost": 0, "recorded twice": 0, "wrongly failed": 0})
    return hand.did


def test_a_few_pauses_change_no_result(cloud: EmbeddedAws, tmp_path: Path) -> None:
    """A job that is paused and resumed while its workers die is run to its end: nothing is lost, doubled or failed."""
    assert on_and_off(cloud, tmp_path, seed=22, turns=4)["pauses"] > 0


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_many_pauses_change_no_result(cloud: EmbeddedAws, tmp_path: Path) -> None:
    """The same, for longer."""
    assert on_and_off(cloud, tmp_path, seed=4, turns=20)["pauses"] > 0
