"""The terminal's door: the way in and the way out of the process; the commands are loaded behind it."""


def main() -> None:
    """Runs `tingshuo`, and ends the process with its exit code."""
    from api.terminal.process import guarded

    with guarded():
        from api.terminal.commands import app

        app(prog_name="tingshuo")


if __name__ == "__main__":
    main()
