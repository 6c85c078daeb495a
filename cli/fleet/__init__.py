"""Commands on workers and on the machines that they run on."""
