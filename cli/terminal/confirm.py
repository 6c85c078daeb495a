"""Asks a person before something is deleted for good."""

import sys

import click


def is_agreed(question: str) -> bool:
    """What the person at the terminal answers; where there is none, no."""
    return at_a_terminal() and click.confirm(question, err=True)


def at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
