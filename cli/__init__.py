"""The command line cloudkon-cli: main.py lists the commands, each room holds those of one kind."""
