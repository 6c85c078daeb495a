"""Asks a person before something is deleted for good."""

import sys

import click


def confirm(question: str) -> bool:
    """What the person at the terminal answers; where there is none, no."""
    return is_at_terminal() and click.confirm(question, err=True)


def is_at_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
