"""Jobs that are paused and resumed at random moments while workers are killed, and resumes that are cut short."""

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.storm import Storm
from tests.support.worlds.storm_field import Field, assert_nothing_happened, say

CUT_SHORT = 0.4
"""Of the resumes."""
UNTIL_CUT_S = (0.3, 1.5)
"""From the start of its process on; it takes about half a second to reach AWS."""


class Hand:
    """Pauses and resumes a job, as its seed has it."""

    def __init__(self, aws: EmbeddedAws, job: str, seed: int) -> None:
        self._aws, self._job, self._dice = aws, job, random.Random(seed)
        self.did = {"pauses": 0, "resumes": 0, "resumes cut short": 0}

    def turn(self) -> None:
        if not self.did["pauses"] or self._dice.random() < 0.5:
            self.did["pauses"] += self._aws.run("pause", self._job).returncode == 0
        elif self._dice.random() < CUT_SHORT:
            self._cut_resume_short()
        else:
            self.resume()

    def resume(self) -> None:
        answer = self._aws.run("resume", self._job)
        assert answer.returncode == 0, answer.stderr
        self.did["resumes"] += 1

    def _cut_resume_short(self) -> None:
        command = [sys.executable, "-m", "cli.main", "resume", self._job]
        with subprocess.Popen(command, env=dict(self._aws.environment), stderr=subprocess.DEVNULL) as process:
            threading.Event().wait(self._dice.uniform(*UNTIL_CUT_S))
            process.kill()
        self.did["resumes cut short"] += 1


def on_and_off(cloud: EmbeddedAws, folder: Path, *, seed: int, turns: int) -> None:
    """Pause, resume and kill at random moments, resume at last, and assert that it has changed nothing."""
    field = Field(cloud, folder)
    field.drop()
    (job,) = field.jobs
    hand = Hand(cloud, job, seed)
    arguments = ("--threads", "2", "--tasks", "tests.support.data.user_tasks")
    with Storm(cloud, folder, seed, arguments) as storm:
        eventually(lambda: field.rows(job))
        for _ in range(turns):
            hand.turn()
            storm.blow(lambda: True, kills=1)
        hand.resume()
        storm.blow(field.over, kills=0)
        hand.resume()  # copies that were parked while it was resumed are of no use, and do no harm
        for queue in (cloud.names.parked_queue, cloud.names.task_queue):
            field.desk.await_empty(queue)
        storm.calm_down()
    say(hand.did | field.figures(storm))
    assert_nothing_happened(field)
    assert field.desk.depth(cloud.names.dead_letter_queue) == 0
    assert hand.did["pauses"] > 0
    say({"lost": 0, "recorded twice": 0, "wrongly failed": 0})


def test_a_few_pauses_change_no_result(cloud: EmbeddedAws, tmp_path: Path) -> None:
    """A job that is paused and resumed while its workers die is run to its end: nothing is lost, doubled or failed."""
    on_and_off(cloud, tmp_path, seed=3, turns=6)


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_many_pauses_change_no_result(cloud: EmbeddedAws, tmp_path: Path) -> None:
    """The same, for longer."""
    on_and_off(cloud, tmp_path, seed=4, turns=40)
