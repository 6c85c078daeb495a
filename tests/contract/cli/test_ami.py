"""workers image, over an account in moto; the instance's life is scripted."""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cli.fleet.ami
from cli.fleet.artifacts import Artifacts
from cli.main import cloudkon_cli
from cloudkon.aws.machines.ami_builder import Build, ImageBuilder
from cloudkon.aws.machines.amis import Images
from cloudkon.stage.ami import WorkerAmi
from tests.support.worlds.image_world import NAMES, ImageWorld, image_world

READY = "cloudkon-image: ready"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[ImageWorld]:
    with image_world(monkeypatch) as made:
        monkeypatch.setattr("cli.terminal.options.SystemClock", lambda: made)
        yield made


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return write_wheel(tmp_path / "cloudkon-0.1.0-py3-none-any.whl", "echo provisioned")


def write_wheel(path: Path, provision: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ec2_worker/ami/provision.sh", f"{provision}\n")
    path.with_name("constraints.txt").write_text("boto3==1.43.106\n", encoding="utf-8")
    return path


def run(*arguments: str, code: int = 0, answer: str | None = None) -> Result:
    result = CliRunner().invoke(cloudkon_cli, ["workers", "image", *arguments], input=answer)
    assert result.exit_code == code, result.output
    return result


def build(world: ImageWorld, wheel: Path, *options: str) -> str:
    """Build an image without trouble; return its id."""
    world.script({20: world.say(READY), 30: world.stop})
    return run("build", "--wheel", str(wheel), *options).stdout.strip()


def test_a_build_ends_with_an_image_and_no_instance(world: ImageWorld, wheel: Path) -> None:
    """The instance's steps are told, the image is what new workers start from, and the instance is gone."""
    steps = world.say("Setting up python3", "cloudkon-image: step packages", "cloudkon-image: step proof")
    world.script({10: steps, 20: world.say(READY), 40: world.stop})
    answer = run("build", "--wheel", str(wheel))
    assert answer.stdout.strip() == world.current()
    assert world.images() == [world.current()]
    assert world.left() == []
    assert answer.stderr.count("step packages") == answer.stderr.count("step proof") == 1
    assert "python3" not in answer.stderr


def test_the_parameter_is_one_of_an_image(world: ImageWorld, wheel: Path) -> None:
    """What a launch template reads is of the data type that it takes, and is waited for until AWS has checked it."""
    made = build(world, wheel)
    found = world.ssm.get_parameter(Name=NAMES.image_parameter)["Parameter"]
    assert (found["DataType"], found["Value"]) == ("aws:ec2:image", made)


def test_the_build_instance_lets_nobody_in_and_is_tagged(world: ImageWorld, wheel: Path) -> None:
    """It stops when it shuts down, asks for tokens of its metadata, lets nobody in, and is tagged with its disk."""
    seen: dict[str, Any] = {}

    def look() -> None:
        (one,) = world.ec2.describe_instances()["Reservations"][0]["Instances"]
        told = world.ec2.describe_instance_attribute(InstanceId=one["InstanceId"], Attribute="userData")
        seen.update(one, UserData=told["UserData"]["Value"])
        seen.update(
            world.ec2.describe_instance_attribute(
                InstanceId=one["InstanceId"], Attribute="instanceInitiatedShutdownBehavior"
            )
        )

    world.script({5: look, 20: world.say(READY), 30: world.stop})
    run("build", "--wheel", str(wheel), "--type", "t3.large")
    assert seen["MetadataOptions"]["HttpTokens"] == "required"
    assert seen["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert seen["InstanceInitiatedShutdownBehavior"]["Value"] == "stop"
    assert seen["InstanceType"] == "t3.large"
    assert seen["IamInstanceProfile"]["Arn"].endswith(f"instance-profile/{NAMES.image_builder_role}")
    assert len(seen["SecurityGroups"]) == 1
    assert {"Key": "cloudkon:stage", "Value": "dev"} in seen["Tags"]


def test_all_that_is_installed_lies_in_the_results_bucket(world: ImageWorld, wheel: Path, tmp_path: Path) -> None:
    """Everything that the instance installs is in the results bucket, where its user data says."""
    own = tmp_path / "my_tasks-1.0-py3-none-any.whl"
    with zipfile.ZipFile(own, "w") as archive:
        archive.writestr("my_tasks.py", "")
    build(world, wheel, "--with", str(own))
    listed = world.s3.list_objects_v2(Bucket=NAMES.results_bucket)["Contents"]
    digest = {entry["Key"].split("/")[1] for entry in listed}
    assert len(digest) == 1
    assert {entry["Key"].rpartition("/")[2] for entry in listed} == {wheel.name, own.name, "constraints.txt"}


def test_the_wheel_built_for_it_is_told(world: ImageWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel that was built only to be uploaded is gone when the image is there; its digest is told all the same."""

    def built(_start: Path, folder: Path, _own: object) -> Artifacts:
        wheel = write_wheel(folder / "cloudkon-0.1.0-py3-none-any.whl", "echo provisioned")
        return Artifacts(wheel, wheel.with_name("constraints.txt"))

    monkeypatch.setattr(cli.fleet.ami, "built", built)
    world.script({20: world.say(READY), 30: world.stop})
    told = json.loads(run("build", "--json").stdout)
    prefix = f"artifacts/{told['artifacts']}/"
    assert told["image"] == world.current()
    assert world.s3.list_objects_v2(Bucket=NAMES.results_bucket, Prefix=prefix)["KeyCount"] == 2


def test_the_same_content_is_not_built_twice(world: ImageWorld, wheel: Path, tmp_path: Path) -> None:
    """An image of the same content is taken as it is, and becomes the current one; --force makes another."""
    first = build(world, wheel)
    (tmp_path / "new").mkdir()
    second = build(world, write_wheel(tmp_path / "new" / wheel.name, "echo other"))
    assert world.current() == second != first
    again = run("build", "--wheel", str(wheel), "--json")
    assert json.loads(again.stdout)["image"] == world.current() == first
    assert "--force" in again.stderr
    assert build(world, wheel, "--force") not in {first, second}


def test_a_step_that_fails(world: ImageWorld, wheel: Path) -> None:
    """The console's last lines are shown, nothing is left running, and new workers start from what they did."""
    world.script({10: world.say("E: no such package", "cloudkon-image: failed: packages"), 20: world.stop})
    answer = run("build", "--wheel", str(wheel), code=1)
    assert "  | [   12.3] cloud-init[512]: E: no such package" in answer.stderr
    assert "failed at: packages" in answer.stderr
    assert (world.left(), world.images(), world.current()) == ([], [], None)


def test_an_instance_that_is_never_ready(world: ImageWorld, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its time is over it is given up."""
    monkeypatch.setattr("cloudkon.aws.machines.ami_builder._PROVISIONED_WITHIN_S", 100.0)
    world.script({10: world.say("cloudkon-image: step packages")})
    answer = run("build", "--wheel", str(wheel), code=1)
    assert "is running, and has not said that it is ready" in answer.stderr
    assert 100 <= sum(world.slept) < 120
    assert (world.left(), world.images()) == ([], [])


def test_a_console_that_is_empty_once_the_instance_has_stopped(world: ImageWorld, wheel: Path) -> None:
    """What the instance said while it ran counts, whatever its console says afterwards."""

    def forget() -> None:
        world.stop()
        world.console = ""

    world.script({20: world.say(READY), 40: forget})
    assert run("build", "--wheel", str(wheel)).stdout.strip() == world.current()


def test_last_words_may_come_late(world: ImageWorld, wheel: Path) -> None:
    """What an instance said before it stopped may be told minutes later."""
    world.script({10: world.stop, 60: world.say(READY)})
    assert run("build", "--wheel", str(wheel)).stdout.strip() == world.current()


def test_an_instance_that_stops_without_a_word(world: ImageWorld, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some time after it has stopped, nothing more is expected of it."""
    monkeypatch.setattr("cloudkon.aws.machines.ami_builder._LAST_WORDS_S", 60.0)
    world.script({10: world.stop})
    answer = run("build", "--wheel", str(wheel), code=1)
    assert "is stopped, and has not said that it is ready" in answer.stderr
    assert 60 <= sum(world.slept) < 90
    assert world.left() == []


def test_an_instance_that_somebody_terminates(world: ImageWorld, wheel: Path) -> None:
    """It is told at once."""
    world.script({10: world.terminate})
    assert "terminated by somebody else" in run("build", "--wheel", str(wheel), code=1).stderr


def test_an_interrupted_build_leaves_no_instance_and_no_image(world: ImageWorld, wheel: Path) -> None:
    """An interrupted build leaves no instance and no image."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    world.script({10: interrupt})
    answer = run("build", "--wheel", str(wheel), code=130)
    assert "is terminated" in answer.stderr
    assert (world.left(), world.images()) == ([], [])


def test_ctrl_c_before_the_id_is_known(world: ImageWorld, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance whose start was interrupted is found by its tag."""
    start = ImageBuilder._run

    def interrupted(builder: ImageBuilder, build: Build) -> str:
        start(builder, build)
        raise KeyboardInterrupt

    monkeypatch.setattr(ImageBuilder, "_run", interrupted)
    run("build", "--wheel", str(wheel), code=130)
    assert world.instances("terminated") != []
    assert world.left() == []


def test_an_image_that_fails(world: ImageWorld, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that AWS could not make is removed with its snapshots."""
    find = Images.find

    def failed(images: Images, image: str) -> WorkerAmi | None:
        found = find(images, image)
        return found and replace(found, state="failed")

    monkeypatch.setattr(Images, "find", failed)
    world.script({20: world.say(READY), 30: world.stop})
    assert "ended as failed" in run("build", "--wheel", str(wheel), code=1).stderr
    assert (world.left(), world.images(), world.snapshots(), world.current()) == ([], [], set(), None)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--arch", "arm64"), "Debian publishes no image of Debian 12 for arm64"),
        (("--stage", "other"), "has no place for workers. Create or update it: cloudkon-cli stack up --stage other"),
    ],
)
def test_what_is_missing(world: ImageWorld, wheel: Path, options: tuple[str, ...], reason: str) -> None:
    """It is said what there is not, and no instance is started."""
    assert reason in run("build", "--wheel", str(wheel), *options, code=1).stderr
    assert world.instances("running", "terminated") == []


def test_images_are_listed_newest_first_with_their_users(world: ImageWorld, wheel: Path) -> None:
    """Each image is a line, the newest first: what it is, and who still runs it."""
    first = build(world, wheel)
    world.date(first, "2025-06-14T15:06:40.000Z")
    second = build(world, wheel, "--force")
    world.date(second, "2025-06-15T14:06:40.000Z")
    (user,) = world.ec2.run_instances(ImageId=first, MinCount=1, MaxCount=1)["Instances"]
    header, *lines = run("list").stdout.splitlines()
    assert header.split()[:2] == ["image", "age"]
    assert [line.split()[0] for line in lines] == [second, first]
    assert "start here" in lines[0]
    assert lines[1].endswith(user["InstanceId"])
    told = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert [(each["id"], each["current"], each["instances"]) for each in told] == [
        (second, True, []),
        (first, False, [user["InstanceId"]]),
    ]


def test_an_empty_list_says_how_to_build_an_image(world: ImageWorld) -> None:
    """Without images the list is empty, and says how to make one."""
    answer = run("list")
    assert answer.stdout == ""
    assert "workers image build --stage dev" in answer.stderr


def test_prune_keeps_the_newest_and_the_current_image(
    world: ImageWorld, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the newest, and the current one, are deleted with their snapshots, once that was agreed to."""
    made = [build(world, wheel, "--force") for _ in range(4)]
    for day, image in enumerate(made, start=10):
        world.date(image, f"2025-06-{day}T15:06:40.000Z")
    Images(world.ec2, world.ssm, NAMES).make_current(made[0], world)
    snapshots = world.snapshots()
    shown = run("prune", "--keep", "1")
    assert (made[1] in shown.stderr, made[0] in shown.stderr, "prune --stage dev --keep 1 --yes" in shown.stderr) == (
        True,
        False,
        True,
    )
    monkeypatch.setattr("cli.terminal.confirm.is_at_terminal", lambda: True)
    assert "Delete 2 images for good?" in run("prune", "--keep", "1", answer="n\n").stderr
    assert json.loads(run("prune", "--keep", "1", "--json").stdout) == {"deleted": []}
    assert len(world.images()) == 4
    run("prune", "--keep", "2", answer="y\n")
    assert set(world.images()) == {made[0], made[2], made[3]}
    assert json.loads(run("prune", "--keep", "1", "--json", "--yes").stdout) == {"deleted": [made[2]]}
    assert set(world.images()) == {made[0], made[3]}
    assert len(world.snapshots()) == len(snapshots) - 2
    assert "nothing to delete" in run("prune", "--yes").stderr
