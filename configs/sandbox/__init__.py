"""The sandbox: files that nobody vouches for are read in a process of its own, which may break without harm."""
