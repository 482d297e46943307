"""The doors of our own over HTTP: questions, knowledge, memory, turns, health."""
