"""The rules of the house, held by tests: sizes that may only shrink, names, floors, and what no product file may do."""

import ast
import contextlib
import importlib.metadata
import io
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "api", "configs", "memory", "models", "tools")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

FILE_LINES, FUNCTION_LINES, LONG_FUNCTION_LINES = 400, 60, 40
LONG_FUNCTIONS = 0
"""How many functions are longer than LONG_FUNCTION_LINES: a ratchet, lowered whenever there are fewer, never raised."""

STARTS_ITS_OWN_TASK = {"agent/graph_stream.py"}
"""LangGraph cleans up by asyncio's rules; the generator there owns its task and waits for its end."""

CATCHES_EVERYTHING = {"api/terminal/process.py"}
"""The top of the terminal's session: whatever happens below becomes an exit code and one line. Nobody else may."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Rule = Callable[[ast.Module], Iterator[int]]


def functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The name and the length in lines of each function."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def catches_everything(tree: ast.Module) -> Iterator[int]:
    """Lines with `except:`, `except Exception` or `except BaseException` that do not end by raising it again."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and ast.unparse(node.body[-1]) != "raise":
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or ast.unparse(kind) in ("Exception", "BaseException") for kind in caught):
                yield node.lineno


def starts_loose_tasks(tree: ast.Module) -> Iterator[int]:
    """Lines that start a task outside a task group."""
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.name if isinstance(node, ast.alias) else ""
        if name in ("create_task", "ensure_future") and hasattr(node, "lineno"):
            yield node.lineno


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def weights_only(call: ast.Call) -> bool:
    """Whether a call says weights_only=True."""
    return "weights_only=True" in map(ast.unparse, call.keywords)


def runs_what_it_loads(tree: ast.Module) -> Iterator[int]:
    """Lines that could execute code hidden in data: pickle and its kin, and torch.load without weights_only=True."""
    unsafe = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and any(name.split(".")[0] in unsafe for name in imported(node)):
            yield node.lineno
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load" and not weights_only(node):
            yield node.lineno


def lacks_its_line(tree: ast.Module) -> Iterator[int]:
    """Line 1 where a module does not begin with one line that names it (more may follow after an empty line)."""
    first, *rest = (ast.get_docstring(tree) or "").split("\n")
    if not first.endswith((".", "?", ":")) or (rest and rest[0]):
        yield 1


def is_vague(path: Path) -> bool:
    """Whether a name says nothing about what is inside."""
    name = path.stem.strip("_").lower()
    return name in {"base", "common", "core", "helper", "helpers", "misc", "util", "utils"} or "manager" in name


def test_there_is_something_to_hold_the_rules_to() -> None:
    assert len(MODULES) > 20


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_keeps_the_rules(path: Path) -> None:
    source, where = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
    tree = ast.parse(source)
    assert len(source.splitlines()) <= FILE_LINES
    assert [name for name, lines in functions(tree) if lines > FUNCTION_LINES] == []
    assert not any(is_vague(part) for part in (path.relative_to(ROOT), *path.relative_to(ROOT).parents))
    if where not in CATCHES_EVERYTHING:
        assert list(catches_everything(tree)) == []
    if where not in STARTS_ITS_OWN_TASK:
        assert list(starts_loose_tasks(tree)) == []
    for rule in (lacks_its_line, runs_what_it_loads):
        assert list(rule(tree)) == [], rule.__doc__


def test_long_functions_only_become_fewer() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
    long = [
        (p.name, name) for p, tree in trees.items() for name, lines in functions(tree) if lines > LONG_FUNCTION_LINES
    ]
    assert len(long) <= LONG_FUNCTIONS, long


@pytest.mark.parametrize(
    ("rule", "source", "lines"),
    [
        (catches_everything, "try: pass\nexcept Exception: pass", [2]),
        (catches_everything, "try: pass\nexcept: pass", [2]),
        (catches_everything, "try: pass\nexcept (OSError, BaseException): pass", [2]),
        (catches_everything, "try: pass\nexcept Exception as error:\n    raise ValueError from error", [2]),
        (catches_everything, "try: pass\nexcept (OSError, ValueError): pass", []),
        (catches_everything, "try: pass\nexcept BaseException:\n    undo()\n    raise", []),
        (starts_loose_tasks, "import asyncio\nasyncio.create_task(f())", [2]),
        (starts_loose_tasks, "from asyncio import ensure_future", [1]),
        (starts_loose_tasks, "group.start_soon(f)", []),
        (runs_what_it_loads, "import json\nimport pickle", [2]),
        (runs_what_it_loads, "from pickle import loads", [1]),
        (runs_what_it_loads, "import os.path, shelve", [1]),
        (runs_what_it_loads, "torch.load(path)", [1]),
        (runs_what_it_loads, "torch.load(path, weights_only=False)", [1]),
        (runs_what_it_loads, "torch.load(path, weights_only=True)", []),
        (lacks_its_line, "import json", [1]),
        (lacks_its_line, '"""Two lines\nin a row."""', [1]),
        (lacks_its_line, '"""One line."""', []),
        (lacks_its_line, '"""One line.\n\n    a drawing\n"""', []),
    ],
)
def test_the_rules_see_what_breaks_them(rule: Rule, source: str, lines: list[int]) -> None:
    assert list(rule(ast.parse(source))) == lines


def test_the_length_of_a_function_is_counted_from_its_name_to_its_end() -> None:
    assert list(functions(ast.parse("@x\nasync def f():\n    a = 1\n\n    return a\n"))) == [("f", 4)]


@pytest.mark.parametrize(
    ("name", "vague"), [("utils.py", True), ("session_manager.py", True), ("core", True), ("score.py", False)]
)
def test_vague_names_are_seen(name: str, vague: bool) -> None:
    assert is_vague(Path(name)) is vague


@pytest.mark.parametrize("package", sorted({path.parent for path in MODULES}), ids=lambda path: path.name)
def test_a_package_holds_one_line(package: Path) -> None:
    tree = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    assert len(tree.body) == 1
    assert "\n" not in (ast.get_docstring(tree) or "\n")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_nobody_else_owns_our_names() -> None:
    owners = importlib.metadata.packages_distributions()
    assert {name: owners[name] for name in PACKAGES if set(owners.get(name, [])) - {"tingshuo"}} == {}


def test_the_changelog_speaks_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    headings = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert next(heading for heading in headings if heading != "Unreleased") == version


def test_imports_go_down_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = lint_imports(no_cache=True, no_logo=True)
    assert status == 0, said.getvalue()


def test_the_contract_names_all_floors() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert sorted(linter["root_packages"]) == list(PACKAGES)
    assert linter["contracts"][0]["layers"] == ["api", "agent", "tools", "memory | models", "configs"]


def test_decisions_stay_few_and_short() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").iterdir())
    assert 0 < len(decisions) <= 8
    for decision in decisions:
        text = decision.read_text(encoding="utf-8")
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", decision.name)
        assert len(text.splitlines()) <= 60
        assert [part for part in ("## Choice", "## Reason", "## What would change our mind") if part not in text] == []
