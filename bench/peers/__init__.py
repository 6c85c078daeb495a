"""CloudKon beside the programs that people use today, all doing the same work in one run."""
