"""What stands before every HTTP door: who calls, from where, with what, and how much of it."""
