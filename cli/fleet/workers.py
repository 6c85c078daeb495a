import click

from cli.lazy import LazyCommand, LazyGroup

_COMMANDS = {
    "list": LazyCommand("cli.fleet.worker_list", "List the workers there are, and how they are."),
    "start": LazyCommand("cli.fleet.machines", "Start machines from the workers' image."),
    "stop": LazyCommand("cli.fleet.machines", "End machines, after their workers have drained."),
    "scale": LazyCommand("cli.fleet.machines", "Bound how many machines there may be."),
    "logs": LazyCommand("cli.fleet.worker_logs", "Print what the workers have said."),
    "image": LazyCommand("cli.fleet.ami", "Make, list and delete the images that machines start from."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def workers() -> None:
    """See the workers there are, and how they are; start and end the machines that they run on.

    \b
    Examples:
      cloudkon-cli workers list
      cloudkon-cli workers start --count 4
      cloudkon-cli workers image build
    """
