import click
from click.shell_completion import get_completion_class

_PROGRAM = "cloudkon-cli"
_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the script that lets SHELL complete commands, options, jobs and states.

    Put the line for your shell into its start file: ~/.bashrc, ~/.zshrc, or ~/.config/fish/config.fish.

    \b
    Examples:
      eval "$(cloudkon-cli completion bash)"
      eval "$(cloudkon-cli completion zsh)"
      cloudkon-cli completion fish | source
    """
    script = get_completion_class(shell)
    if script is None:
        raise TypeError(f"click knows no {shell}")
    root = click.get_current_context().find_root().command
    template = script(root, {}, _PROGRAM, f"_{_PROGRAM.replace('-', '_').upper()}_COMPLETE")
    click.echo(template.source_template % template.source_vars())
