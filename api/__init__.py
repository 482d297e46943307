"""Doors: the terminal and HTTP; translation only, no logic."""
