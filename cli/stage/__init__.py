"""Commands that set up, examine and take down one installation."""
