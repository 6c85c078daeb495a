"""Starts and ends the machines that workers run on."""

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import click

from cli.terminal.options import stage_option, uses_clock
from cloudkon import wiring
from cloudkon.aws.machines.scaling import Machines
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, InputError, NotFoundError
from cloudkon.ports import Fleet
from cloudkon.settings import Settings
from cloudkon.stage.machine import Machine

_POLL_S = 5.0
_HEARD_MS = 60_000

wait_option = click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=900,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for them; 0: not at all.",
)


@dataclass(frozen=True, slots=True)
class WorkerGroup:
    """The machines of a stage and what their workers say of themselves."""

    stage: str
    machines: Machines
    fleet: Fleet
    clock: Clock

    @classmethod
    def of(cls, stage: str, clock: Clock) -> "WorkerGroup":
        cloud = wiring.cloud(stage, Settings.from_environ(os.environ))
        machines = Machines(cloud.session.autoscaling(), cloud.session.ec2(), cloud.names, clock)
        return cls(stage, machines, cloud.ledger, clock)

    def reporting(self) -> set[str]:
        """The machines whose workers were heard of lately."""
        found = self.fleet.fleet(self.clock.now_ms() - _HEARD_MS)
        return {status.instance.id for status in found if status.instance is not None}


@click.command()
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="How many more.")
@click.option("--spot", is_flag=True, help="Spot instances: cheaper, and taken away when others pay more.")
@click.option("--type", "kind", metavar="TYPE", help="Of this instance type, such as c7i.large.")
@wait_option
@stage_option
@uses_clock
def start(stage: str, count: int, kind: str | None, wait_s: float, *, clock: Clock, spot: bool) -> None:
    """Start machines from the workers' image, and wait until their workers report.

    They join the stage's auto scaling group, which stops them when there is nothing to do. Their types, and how many
    of them are spot instances, are parameters of the stack, unless --type or --spot say otherwise.

    \b
    Examples:
      cloudkon-cli workers start --count 4
      cloudkon-cli workers start --count 2 --spot --type c7i.large
    """
    group = WorkerGroup.of(stage, clock)
    capacity = group.machines.capacity()
    wanted = capacity.wanted + count
    if wanted > capacity.most:
        raise InputError(
            f"The group has {capacity.wanted} machines and may have {capacity.most} at most. Allow more: "
            f"cloudkon-cli workers scale {capacity.least} {wanted} --stage {stage}"
        )
    before = {machine.id for machine in group.machines.all()}
    began_ms = group.clock.now_ms()
    if spot or kind:
        group.machines.launch(count, kind, spot=spot)
    else:
        group.machines.want(wanted)
    if wait_s and not _await(lambda: _have_started(group, before, count, began_ms), wait_s, group.clock, "start"):
        raise CloudKonError(
            f"Not all of them have reported within {wait_s:g} s. What they say: "
            f"cloudkon-cli workers logs --stage {stage}; what may be wrong: cloudkon-cli doctor --stage {stage}"
        )


def _have_started(group: WorkerGroup, before: Collection[str], count: int, began_ms: int) -> tuple[bool, list[str]]:
    """Whether so many new machines have workers that report, and a line on each new one."""
    reporting = group.reporting()
    new = [machine for machine in group.machines.all() if machine.id not in before]
    lines = [
        f"{_named(machine)}: {'its worker reports' if machine.id in reporting else machine.state}" for machine in new
    ]
    if trouble := "" if len(new) >= count else group.machines.trouble(began_ms):
        lines.append(f"AWS could not start one: {trouble}")
    return sum(machine.id in reporting for machine in new) >= count, lines


@click.command()
@click.argument("instances", nargs=-1)
@click.option(
    "--now", is_flag=True, help="Do not wait for them to drain: their tasks run again elsewhere when the leases end."
)
@wait_option
@stage_option
@uses_clock
def stop(stage: str, instances: tuple[str, ...], wait_s: float, *, clock: Clock, now: bool) -> None:
    """Stop INSTANCES, by default all of the stage, once their workers have drained.

    While tasks wait the group starts others, unless you forbid it first: cloudkon-cli workers scale 0 0

    \b
    Examples:
      cloudkon-cli workers stop
      cloudkon-cli workers stop i-0123456789abcdef0 --now
    """
    group = WorkerGroup.of(stage, clock)
    known = {machine.id: machine for machine in group.machines.all()}
    if unknown := [name for name in instances if name not in known]:
        raise NotFoundError(
            f"The stage {stage} has no machine {unknown[0]}. See: cloudkon-cli workers list --stage {stage}"
        )
    ending = list(dict.fromkeys(instances)) or list(known)
    if not ending:
        click.echo("There is no machine to stop.", err=True)
    for name in ending:
        group.machines.end(name)
        click.echo(f"{_named(known[name])}: told to {'end' if now else 'drain and end'}", err=True)
    if (wait_s or now) and not _await(lambda: _have_ended(group, ending, now=now), wait_s, group.clock, "end"):
        raise CloudKonError(f"Not all of them have ended within {wait_s:g} s; they go on doing so.")


def _have_ended(group: WorkerGroup, ending: Iterable[str], *, now: bool) -> tuple[bool, list[str]]:
    """Whether all of them are gone, and a line on each that is not."""
    left = [machine for machine in group.machines.all() if machine.id in set(ending)]
    for machine in left:
        if now:
            group.machines.hurry(machine.id)
    return not left, [f"{_named(machine)}: {machine.state}" for machine in left]


@click.command()
@click.argument("least", metavar="MIN", type=click.IntRange(min=0))
@click.argument("most", metavar="MAX", type=click.IntRange(min=0))
@stage_option
@uses_clock
def scale(stage: str, least: int, most: int, *, clock: Clock) -> None:
    """Let the group have at least MIN and at most MAX machines; in between it follows the work.

    \b
    Examples:
      cloudkon-cli workers scale 0 20
      cloudkon-cli workers scale 0 0      # start no machines any more
    """
    if least > most:
        raise InputError(f"MIN ({least}) is more than MAX ({most}).")
    group = WorkerGroup.of(stage, clock)
    before = group.machines.capacity()
    group.machines.bound(least, most)
    click.echo(f"Between {least} and {most} machines, was {before.least} and {before.most}.", err=True)


def _named(machine: Machine) -> str:
    return f"{machine.id} {machine.type}{' spot' if machine.spot else ''} {machine.zone}"


def _await(look: Callable[[], tuple[bool, list[str]]], wait_s: float, clock: Clock, verb: str) -> bool:
    """Look until it is done or time is up, and tell every line that is new."""
    until_s = clock.monotonic_s() + wait_s
    told: set[str] = set()
    try:
        while True:
            done, lines = look()
            for line in lines:
                if line not in told:
                    told.add(line)
                    click.echo(line, err=True)
            if done:
                return True
            if clock.monotonic_s() >= until_s:
                return not wait_s
            clock.sleep(_POLL_S)
    except KeyboardInterrupt:
        click.echo(f"They go on to {verb}. See how they are: cloudkon-cli workers list", err=True)
        raise SystemExit(130) from None
