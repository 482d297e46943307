"""The terminal's door: the commands of `tingshuo`, what they print, and the process that they run in."""
