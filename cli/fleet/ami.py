"""workers image: what the machines of the workers start from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import click

from cli.fleet.artifacts import Artifacts, built, given
from cli.system.processes import ignoring_signals
from cli.terminal.confirm import confirm
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.tables import Table, aligned
from cli.terminal.units import duration
from cloudkon.aws.machines.ami_builder import Build, ImageBuilder, ProvisioningError
from cloudkon.aws.machines.amis import Images
from cloudkon.aws.session import Session
from cloudkon.aws.stack.stack import Stack
from cloudkon.aws.store import S3Store
from cloudkon.clock import Clock
from cloudkon.errors import NotFoundError
from cloudkon.stage.ami import ARTIFACTS_PREFIX, WorkerAmi, user_data
from cloudkon.stage.names import Names

_TYPES = {"amd64": "t3.small", "arm64": "t4g.small"}
wheel_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def image() -> None:
    """Build, list and delete the images that workers' machines start from.

    \b
    Examples:
      cloudkon-cli workers image build
      cloudkon-cli workers image list
      cloudkon-cli workers image prune --keep 1
    """


@image.command()
@stage_option
@json_option
@click.option("--arch", type=click.Choice(list(_TYPES)), default="amd64", show_default=True, help="Of the workers.")
@click.option("--type", "type_", metavar="TYPE", help="Of the instance that becomes the image, by default t3.small.")
@click.option(
    "--subnet", metavar="ID", help="Where that instance runs, by default where workers do; it needs a way out."
)
@click.option("--wheel", type=wheel_file, help="CloudKon's wheel, constraints.txt beside it, by default built here.")
@click.option(
    "--with", "own", type=wheel_file, multiple=True, help="A wheel of your own tasks; may be given several times."
)
@click.option("--force", is_flag=True, help="Build even if there is an image of the same content.")
@uses_clock
def build(
    stage: str,
    arch: str,
    type_: str | None,
    subnet: str | None,
    wheel: Path | None,
    own: tuple[Path, ...],
    *,
    clock: Clock,
    force: bool,
    output: Output,
) -> None:
    """Build an image of this checkout for new workers, and print its id.

    An instance of Debian's own image installs CloudKon, checks itself, becomes the image and is terminated. That takes
    about ten minutes and costs about a cent. If it fails, the last lines of its log are shown. Nothing is left running,
    also after Ctrl-C. If there is an image of the same content, it is used as it is.
    """
    session = Session()
    names = session.names(stage)
    images = Images(session.ec2(), session.ssm(), names)
    place = _place(session, names, clock)
    with TemporaryDirectory(prefix="cloudkon-image-") as folder:
        artifacts = given(wheel, own) if wheel else built(Path.cwd(), Path(folder), own)
        digest = artifacts.digest
        found = None if force else images.made_from(digest, arch)
        if found is None:
            asked = Build(
                token=uuid4().hex[:12],
                digest=digest,
                architecture=arch,
                base=images.base(arch),
                instance_type=type_ or _TYPES[arch],
                user_data=_uploaded(artifacts, S3Store(session.s3(), names.results_bucket, clock), names),
                security_group=place.security_group,
                subnet=subnet or place.subnet,
            )
            made = _built(ImageBuilder(session.ec2(), images, names, clock, _say, ignoring_signals), asked)
        else:
            made = found.id
            _say(f"{made} was made of the same content, {digest}; --force makes another")
    images.make_current(made, clock)
    _say("new workers start from it")
    output.value({"image": made, "artifacts": digest}, [made])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where workers run."""

    security_group: str
    subnet: str | None


def _place(session: Session, names: Names, clock: Clock) -> _Place:
    outputs = Stack(session.cloudformation(), names.stack, clock).outputs()
    if "SecurityGroup" not in outputs:
        raise NotFoundError(
            f"The stack {names.stack} in {names.region} has no place for workers. "
            f"Create or update it: cloudkon-cli stack up --stage {names.stage}"
        )
    return _Place(outputs["SecurityGroup"], outputs.get("Subnets", "").partition(",")[0] or None)


@image.command("list")
@stage_option
@json_option
@uses_clock
def list_(stage: str, *, clock: Clock, output: Output) -> None:
    """List the images of the stage, the newest first.

    Also shown are the image that new workers start from and the instances that use each image.
    """
    images = _images(stage)
    shown = images.all()
    current, users = images.current(), images.users(shown)
    output.listing(
        (asdict(each) | {"current": each.id == current, "instances": list(users.get(each.id, []))} for each in shown),
        _table(shown, current, users, clock.now_ms()).without_empty_columns(),
    )
    if not shown:
        output.say(f"There is no image. Make one: cloudkon-cli workers image build --stage {stage}")


@image.command()
@stage_option
@json_option
@click.option("--keep", type=click.IntRange(min=0), default=2, show_default=True, help="How many of the newest stay.")
@click.option("--yes", "is_meant", is_flag=True, help="Delete them without asking.")
@uses_clock
def prune(stage: str, keep: int, *, clock: Clock, is_meant: bool, output: Output) -> None:
    """Delete old images of the stage, with their snapshots.

    The newest are kept, and the one that new workers start from. The others are shown first. On a terminal you are
    asked. Elsewhere, and with --json, nothing is deleted without --yes. Running instances are not affected.
    """
    images = _images(stage)
    current = images.current()
    old = [each for each in images.all()[keep:] if each.id != current]
    if old and not is_meant:
        for line in aligned(_table(old, current, images.users(old), clock.now_ms()).without_empty_columns()):
            _say(line)
        is_meant = output.is_text and confirm(f"Delete {len(old)} images for good?")
    for each in old if is_meant else ():
        images.remove(each)
        _say(f"{each.id} is deleted, {len(each.snapshots)} snapshots with it")
    output.value({"deleted": [each.id for each in old] if is_meant else []})
    if output.is_text and not old:
        _say("there is nothing to delete")
    elif output.is_text and not is_meant:
        command = f"cloudkon-cli workers image prune --stage {stage} --keep {keep} --yes"
        _say(f"Nothing was deleted. Delete them for good: {command}")


def _images(stage: str) -> Images:
    session = Session()
    return Images(session.ec2(), session.ssm(), session.names(stage))


def _uploaded(artifacts: Artifacts, store: S3Store, names: Names) -> str:
    """Put the artifacts where the instance finds them; return what it is started with."""
    prefix = f"{ARTIFACTS_PREFIX}/{artifacts.digest}"
    artifacts.upload(store, prefix)
    source = store.link(prefix)
    _say(f"{source} has {', '.join(file.name for file in artifacts.files)}")
    return user_data(artifacts.provision, source, names.stage, names.region, artifacts.sums)


def _built(builder: ImageBuilder, asked: Build) -> str:
    try:
        return builder.build(asked)
    except ProvisioningError as error:
        for line in error.last_lines:
            _say(f"  | {line}")
        raise


def _table(shown: Sequence[WorkerAmi], current: str | None, users: Mapping[str, Sequence[str]], now_ms: int) -> Table:
    return Table(
        ("image", "age", "arch", "GiB", "state", "artifacts", "base", "new workers", "instances"),
        ("left", "right", "left", "right", "left", "left", "left", "left", "left"),
        [
            (
                each.id,
                _age(each, now_ms),
                each.architecture,
                str(each.size_gib),
                each.state,
                each.digest,
                each.base,
                "start here" if each.id == current else "",
                " ".join(users.get(each.id, [])),
            )
            for each in shown
        ],
    )


def _age(image: WorkerAmi, now_ms: int) -> str:
    if not image.created:
        return "-"
    created = datetime.fromisoformat(image.created).replace(tzinfo=UTC)
    return duration(max(0.0, now_ms - created.timestamp() * 1000))


def _say(what: str) -> None:
    click.echo(what, err=True)
