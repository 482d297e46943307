"""What `tingshuo doctor` found, for a person or a program."""

import yaml
from rich.text import Text

from api.safe_text import safe
from api.terminal.doctor import DataState, Diagnosis
from api.terminal.screen import amount, console, print_engines, print_json
from configs.errors import IndexUnavailable
from memory.inspection import Inspection
from models.video_memory import Needs


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
    if found.inspection:
        _line("index", _index(found.inspection))
    if found.tracing:
        _line("tracing", f"turns and requests are told to {found.tracing}, without their words")
    _print_gpus(found)
    _line("python", found.as_json()["python"])
    _line("packages", ", ".join(f"{name} {version}" for name, version in found.packages.items()))
    for name, value in found.variables.items():
        _line(name, value)
    for name, error in found.failures.items():
        out.print()
        out.print(Text(f"{name}: {safe(error.message)}", "bold red"))
        if error.hint:
            out.print(f"  try: {safe(error.hint)}")


def _print_gpus(found: Diagnosis) -> None:
    """The cards, and what would suit the largest."""
    for gpu in found.gpus:
        _line("gpu", f"{gpu.name}, {amount(gpu.total)}, {amount(gpu.free)} free")
    if found.gpus and not found.division:
        _line("", "too small for qwen3:8b: write FROM qwen3:4b, or a smaller model still, into the persona's Modelfile")
    elif not found.gpus:
        _line("gpu", "none found by nvidia-smi: everything runs on the CPU")
    if division := found.division:
        _line("", f"qwen3:8b and what fits beside it take {amount(division.needs(Needs()))}. In assistant.yaml:")
        for line in yaml.safe_dump(division.settings(), sort_keys=False).splitlines():
            _line("", f"  {line}")
        variables = " ".join(f"{name}={value}" for name, value in division.variables().items())
        _line("", f"In the shell: {variables} ollama serve")


def _line(name: str, value: str) -> None:
    console().print(Text(f"{name:<16}", "bold"), safe(value), sep="")


def _index(inspection: Inspection) -> str:
    if inspection.skipped:
        return f"not checked: {inspection.skipped}"
    if isinstance(inspection.index, IndexUnavailable):
        return "not checked: its server is away"
    if inspection.ledger:
        return "not checked: the ledger is damaged"
    if inspection.index:
        return f"damaged ({inspection.index.message}) -> tingshuo reindex"
    return f"fine ({inspection.vectors} vectors, {inspection.tried} of them looked for)"


def _state(data: DataState) -> str:
    said = [data.path, amount(data.bytes) if data.exists else "not made yet"]
    if not data.writable:
        said.append("cannot be written")
    if data.locked:
        said.append(f"in use by process {data.locked_by or 'unknown'}")
    return ", ".join(said)
