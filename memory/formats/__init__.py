"""Kinds of documents: each kind of file as text, read in a process that can do nothing else."""
