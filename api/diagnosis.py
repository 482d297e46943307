"""What `tingshuo doctor` found, for a person or a program."""

from rich.text import Text

from api.doctor import DataState, Diagnosis
from api.terminal import amount, console, print_engines, print_json, safe


def print_diagnosis(found: Diagnosis, *, json: bool) -> None:
    """Prints it on standard output."""
    if json:
        print_json(found.as_json())
        return
    out = console()
    print_engines(found.choices)
    out.print()
    if found.persona:
        _line("persona", found.persona)
    if found.data:
        _line("data folder", _state(found.data))
    _line("python", found.as_json()["python"])
    _line("packages", ", ".join(f"{name} {version}" for name, version in found.packages.items()))
    for name, value in found.variables.items():
        _line(name, value)
    for name, error in found.failures.items():
        out.print()
        out.print(Text(f"{name}: {safe(error.message)}", "bold red"))
        if error.hint:
            out.print(f"  try: {safe(error.hint)}")


def _line(name: str, value: str) -> None:
    console().print(Text(f"{name:<16}", "bold"), safe(value), sep="")


def _state(data: DataState) -> str:
    said = [data.path, amount(data.bytes) if data.exists else "not made yet"]
    if not data.writable:
        said.append("cannot be written")
    if data.locked:
        said.append(f"in use by process {data.locked_by or 'unknown'}")
    return ", ".join(said)
