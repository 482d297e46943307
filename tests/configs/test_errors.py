"""The error tree: what the docstring draws is what there is, and each error tells a person what to do."""

import ast
import os
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from configs import errors
from configs.errors import AssistantError

ROOT = Path(__file__).parents[2]
PACKAGES = ("agent", "api", "configs", "memory", "models", "tools")


def tree(kind: type[AssistantError] = AssistantError) -> dict[str, str | None]:
    """Each error of the tree by name, with its parent's name."""
    found: dict[str, str | None] = {} if kind is AssistantError else {kind.__name__: kind.__mro__[1].__name__}
    for child in kind.__subclasses__():
        found |= tree(child)
    return found


def drawn(docstring: str) -> dict[str, str | None]:
    """The same, read from the drawing: a name belongs to the nearest one above it that stands further left."""
    found: dict[str, str | None] = {}
    above: list[tuple[int, str]] = [(0, "AssistantError")]
    for line in docstring.splitlines():
        if "── " not in line:
            continue
        name = line.split("── ")[1].split()[0]
        column = line.index(name)
        while above[-1][0] >= column:
            above.pop()
        found[name] = above[-1][1]
        above.append((column, name))
    return found


def kinds() -> list[type[AssistantError]]:
    """Every error of the tree, its root among them."""
    return [AssistantError, *(getattr(errors, name) for name in tree())]


def test_the_drawing_is_the_tree() -> None:
    assert errors.__doc__ is not None
    assert drawn(errors.__doc__) == tree()


def test_every_error_is_in_the_one_file() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert defined == {kind.__name__ for kind in kinds()}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_error_carries_what_happened_and_what_to_do(kind: type[AssistantError]) -> None:
    error = kind("the disk is full", "Make room.")
    assert (error.message, error.hint, str(error)) == ("the disk is full", "Make room.", "the disk is full")
    assert kind.__doc__


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_error_has_an_exit_code_and_a_status(kind: type[AssistantError]) -> None:
    known = {value for name, value in vars(os).items() if name.startswith("EX_")} - {os.EX_OK}
    assert kind.exit_code in (known if kind is not AssistantError else {1})
    assert HTTPStatus(kind.status) >= HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [
        (errors.ConfigError, os.EX_CONFIG),
        (errors.PersonaNotFound, os.EX_CONFIG),
        (errors.EngineUnavailable, os.EX_UNAVAILABLE),
        (errors.EngineFailed, os.EX_SOFTWARE),
        (errors.DataFolderUnwritable, os.EX_IOERR),
        (errors.DataFolderLocked, os.EX_TEMPFAIL),
        (errors.DocumentUnreadable, os.EX_DATAERR),
        (errors.AddressInUse, os.EX_UNAVAILABLE),
    ],
)
def test_exit_codes_follow_sysexits(kind: type[AssistantError], exit_code: int) -> None:
    assert kind.exit_code == exit_code


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.PersonaNotFound, HTTPStatus.NOT_FOUND),
        (errors.KnowledgeBaseNotFound, HTTPStatus.NOT_FOUND),
        (errors.ModelNotFound, HTTPStatus.SERVICE_UNAVAILABLE),
        (errors.RequestTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (errors.AudioUnsupported, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        (errors.DataFolderUnwritable, HTTPStatus.INSUFFICIENT_STORAGE),
    ],
)
def test_statuses_say_whose_turn_it_is(kind: type[AssistantError], status: HTTPStatus) -> None:
    assert kind.status == status


def without_hint(module: ast.Module) -> Iterator[int]:
    """Lines that make an error of the tree and give it no hint."""
    names = {kind.__name__ for kind in kinds()}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            hints = [*node.args[1:2], *(keyword.value for keyword in node.keywords if keyword.arg == "hint")]
            if not hints or (isinstance(hints[0], ast.Constant) and not hints[0].value):
                yield node.lineno


def test_without_hint_finds_them() -> None:
    source = (
        'ConfigError("a")\nConfigError("a", "b")\nConfigError("a", hint="b")\nConfigError("a", "")\nValueError("a")'
    )
    assert list(without_hint(ast.parse(source))) == [1, 4]


def test_every_error_that_is_raised_names_its_remedy() -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert files
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in files
        for line in without_hint(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert not found
