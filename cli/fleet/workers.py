import click

from cli.lazy import LazyCommand, LazyGroup

_COMMANDS = {
    "list": LazyCommand("cli.fleet.worker_list", "List the workers and their state."),
    "start": LazyCommand("cli.fleet.machines", "Start machines."),
    "stop": LazyCommand("cli.fleet.machines", "Stop machines once their workers have drained."),
    "scale": LazyCommand("cli.fleet.machines", "Set the least and the most machines."),
    "logs": LazyCommand("cli.fleet.worker_logs", "Print the workers' log."),
    "image": LazyCommand("cli.fleet.ami", "Build, list and delete the machine images."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def workers() -> None:
    """List the workers, and start and stop the machines that they run on.

    \b
    Examples:
      cloudkon-cli workers list
      cloudkon-cli workers start --count 4
      cloudkon-cli workers image build
    """
