"""The images: the rules of a sound Dockerfile, what goes in, what stays out, and a health check that is true."""

import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from configs.server import Server

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TARGETS = ("cpu", "gpu")


class Instruction(NamedTuple):
    """One instruction, its lines joined; `stage` counts the FROMs up to it."""

    stage: int
    keyword: str
    value: str


def instructions(text: str) -> list[Instruction]:
    """A Dockerfile without its comments."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found: list[Instruction] = []
    stage = -1
    for line in filter(str.strip, re.sub(r"\\\n\s*", " ", lines).splitlines()):
        keyword, _, value = line.partition(" ")
        stage += keyword.upper() == "FROM"
        found.append(Instruction(stage, keyword.upper(), value.strip()))
    return found


DOCKERFILE = instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))
Rule = Callable[[Sequence[Instruction]], Iterator[str]]


def values(keyword: str, of: Sequence[Instruction]) -> list[str]:
    """The values of all instructions with that keyword."""
    return [each.value for each in of if each.keyword == keyword]


def stages(of: Sequence[Instruction]) -> dict[str, tuple[int, str]]:
    """Each stage's number and base, by its name or its number."""
    found = {}
    for number, value in enumerate(values("FROM", of)):
        base, _, name = value.partition(" AS ")
        found[name or str(number)] = (number, base)
    return found


def lineage(stage: str, of: Sequence[Instruction]) -> list[Instruction]:
    """What makes a stage, from its outermost ancestor in this file down to itself."""
    number, base = stages(of)[stage]
    before = lineage(base, of) if base in stages(of) else []
    return before + [each for each in of if each.stage == number]


def environment(stage: str) -> dict[str, str]:
    """The variables that a stage of ours ends with."""
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(values("ENV", lineage(stage, DOCKERFILE)))))


def base_is_not_pinned(of: Sequence[Instruction]) -> Iterator[str]:
    """Bases from elsewhere without at least a minor version."""
    named = stages(of)
    for _, base in named.values():
        if base not in named and not re.search(r":\d+\.\d+", base):
            yield base


def adds(of: Sequence[Instruction]) -> Iterator[str]:
    """ADD, which unpacks and downloads where COPY would do."""
    yield from values("ADD", of)


def ends_as_root(of: Sequence[Instruction]) -> Iterator[str]:
    """Stages that nothing builds on whose user is root, or a name, which an orchestrator cannot judge."""
    bases = {base for _, base in stages(of).values()}
    copied = set(re.findall(r"--from=(\S+)", " ".join(values("COPY", of))))
    for stage in stages(of).keys() - bases - copied:
        user = (values("USER", lineage(stage, of)) or ["root"])[-1]
        if not re.fullmatch(r"[1-9]\d{3,}(:[1-9]\d{3,})?", user):
            yield f"{stage}: {user}"


def takes_a_shell(of: Sequence[Instruction]) -> Iterator[str]:
    """Commands in the shell form, whose shell keeps signals from the process."""
    for each in of:
        command = each.value.partition("CMD ")[2] if each.keyword == "HEALTHCHECK" else each.value
        if each.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK") and command:
            try:
                json.loads(command)
            except ValueError:
                yield command


def installs_loosely(of: Sequence[Instruction]) -> Iterator[str]:
    """Packages whose version or whose company is left to chance, or whose lists stay in the layer."""
    for command in values("RUN", of):
        if "apt-get install" in command:
            yield from (
                f"{needed} is missing: {command}"
                for needed in ("--no-install-recommends", "rm -rf /var/lib/apt/lists")
                if needed not in command
            )
        if "pip install" in command:
            arguments = command.partition("pip install")[2].partition("&&")[0]
            yield from (f"no version: {word}" for word in arguments.split() if re.fullmatch(r"[a-z][\w-]+", word))
        if "uv sync" in command and "--frozen" not in command:
            yield f"not from the lock: {command}"


def holds_a_secret(of: Sequence[Instruction]) -> Iterator[str]:
    """Variables that stay readable in the image and are named like secrets."""
    for value in values("ARG", of) + values("ENV", of):
        names = re.findall(r"(\w+)(?==)", value) or value.split()[:1]
        yield from (name for name in names if re.search(r"key|token|secret|passw|credential", name, re.IGNORECASE))


def works_nowhere(of: Sequence[Instruction]) -> Iterator[str]:
    """Relative working folders, and `cd` in their place."""
    yield from (value for value in values("WORKDIR", of) if not value.startswith("/"))
    yield from (value for value in values("RUN", of) if re.search(r"(^|&&\s*)cd ", value))


RULES: dict[Rule, str] = {
    base_is_not_pinned: "FROM python:slim\nUSER 10001",
    adds: "FROM python:3.11\nADD https://example.com/x.tar.gz /x\nUSER 10001",
    ends_as_root: "FROM python:3.11 AS one\nUSER 10001\nFROM one AS two\nUSER root",
    takes_a_shell: "FROM python:3.11\nUSER 10001\nHEALTHCHECK --interval=3s CMD curl localhost",
    installs_loosely: "FROM python:3.11\nRUN apt-get update && \\\n    apt-get install -y gcc\nUSER 10001",
    holds_a_secret: "FROM python:3.11\nENV A=b HF_TOKEN=c\nUSER 10001",
    works_nowhere: "FROM python:3.11\nWORKDIR app\nUSER 10001",
}
"""Each rule, and a file that breaks it and no other."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_dockerfile_keeps_the_rule(rule: Rule) -> None:
    assert list(rule(DOCKERFILE)) == []


@pytest.mark.parametrize("broken", RULES, ids=lambda rule: rule.__name__)
def test_each_rule_sees_what_breaks_it_and_nothing_else(broken: Rule) -> None:
    found = {rule for rule in RULES if list(rule(instructions(RULES[broken])))}
    assert found == {broken}


@pytest.mark.parametrize("command", ["pip install uv", "pip install uv==1 httpx", "uv sync"])
def test_versions_left_to_chance_are_seen(command: str) -> None:
    assert list(installs_loosely(instructions(f"FROM python:3.11\nRUN {command}")))


def test_every_stage_has_one_python_and_the_project_allows_it() -> None:
    named = stages(DOCKERFILE)
    (base,) = {base for _, base in named.values() if base not in named}
    found = re.fullmatch(r"python:3\.(\d+)-slim-\w+", base)
    assert found
    least, below = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
    assert int(least) <= int(found[1]) < int(below)


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_starts_the_server_and_says_how_it_is(target: str) -> None:
    made = lineage(target, DOCKERFILE)
    assert [json.loads(value) for value in values("ENTRYPOINT", made)] == [["tingshuo"]]
    assert [json.loads(value) for value in values("CMD", made)] == [["serve"]]
    assert "tingshuo" in PROJECT["project"]["scripts"]
    assert values("EXPOSE", made) == [str(Server().port)]
    assert len(values("HEALTHCHECK", made)) == 1


def test_the_image_that_is_built_unasked_is_the_one_for_every_machine() -> None:
    assert list(stages(DOCKERFILE))[-1] == "cpu"


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_writes_to_its_data_folder_alone(target: str) -> None:
    kept = environment(target)
    assert kept["TINGSHUO_DATA"] == "/data"
    assert kept["HOME"] == "/tmp"
    assert kept["PYTHONDONTWRITEBYTECODE"] == "1"
    made = lineage(target, DOCKERFILE)
    assert [json.loads(value) for value in values("VOLUME", made)] == [["/data"]]
    user, group = values("USER", made)[-1].split(":")
    assert any(
        f"--owner {user} --group {group} --mode 0700 {kept['TINGSHUO_DATA']}" in run for run in values("RUN", made)
    )
    build = lineage("build", DOCKERFILE)
    assert "UV_COMPILE_BYTECODE=1" in " ".join(values("ENV", build))
    assert "compileall" in " ".join(values("RUN", build))


def test_an_image_reports_nothing_to_anyone() -> None:
    """ONNX Runtime's wheels report to Microsoft unless this is set before they are loaded (its Privacy.md)."""
    assert environment("cpu")["ORT_DISABLE_TELEMETRY"] == "1"


def test_the_gpu_image_finds_the_cublas_of_cuda_12() -> None:
    (installed,) = values("RUN", lineage("cublas", DOCKERFILE))
    found = re.search(r"--target (\S+) nvidia-cublas-cu12==12\.", installed)
    assert found
    # Where the wheel has its libraries: nvidia/cublas/lib/libcublas.so.12.
    assert environment("gpu")["LD_LIBRARY_PATH"] == f"{found[1]}/nvidia/cublas/lib"
    assert f"--from=cublas {found[1]} {found[1]}" in values("COPY", lineage("gpu", DOCKERFILE))


def test_an_environment_is_moved_to_where_it_was_made() -> None:
    """The scripts of an environment name its Python by an absolute path."""
    assert values("WORKDIR", lineage("build", DOCKERFILE)) == ["/app"]
    assert "--from=build /app /app" in values("COPY", DOCKERFILE)
    assert environment("cpu")["PATH"].startswith("/app/.venv/bin:")


def test_the_image_is_labelled_as_what_it_is() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', " ".join(values("LABEL", DOCKERFILE))))
    assert labels.keys() >= {"title", "description", "version", "licenses"}
    assert labels["version"] == PROJECT["project"]["version"]
    assert labels["licenses"].startswith(PROJECT["project"]["license"])


def ignores(path: str, patterns: Sequence[str]) -> bool:
    """Whether .dockerignore keeps a path out: the last pattern that matches it, or a folder above it, decides."""
    parts = path.split("/")
    above = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    ignored = False
    for pattern in patterns:
        regex = re.escape(pattern.removeprefix("!").strip("/"))
        for written, meant in ((r"\*\*/", "(.*/)?"), (r"\*", "[^/]*"), (r"\[co\]", "[co]")):
            regex = regex.replace(written, meant)
        if any(re.fullmatch(regex, each) for each in above):
            ignored = not pattern.startswith("!")
    return ignored


IGNORED = [
    line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
]
COPIED = [
    source for value in values("COPY", DOCKERFILE) if not value.startswith("--from") for source in value.split()[:-1]
]


@pytest.mark.parametrize("source", COPIED)
def test_what_is_copied_is_there_and_not_ignored(source: str) -> None:
    path = ROOT / source
    inside = [each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts]
    assert path.is_file() or inside
    kept_out = [each for each in [path, *inside] if ignores(each.relative_to(ROOT).as_posix(), IGNORED)]
    assert kept_out == []


def test_everything_that_the_program_needs_is_copied() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], "Modelfile", "examples", "pyproject.toml", "uv.lock"}
    assert {*COPIED} == needed | {PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        ".venv-chattts/pyvenv.cfg",
        ".env",
        ".hypothesis/examples/1",
        "tests/conftest.py",
        "docs/architecture.md",
        "demo-answer.wav",
        "docker-compose.override.yml",
        "agent/__pycache__/turn.cpython-311.pyc",
        "models/engines/__pycache__",
    ],
)
def test_the_rest_stays_out(path: str) -> None:
    assert ignores(path, IGNORED)


class _Health(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


def probe(port: int) -> int:
    """How the image's own check ends when the server is at that port, behind a proxy that leads nowhere."""
    (check,) = values("HEALTHCHECK", DOCKERFILE)
    python, *arguments = json.loads(check.partition("CMD ")[2])
    assert python == "python"
    assert str(Server().port) in arguments[-1]
    arguments[-1] = arguments[-1].replace(str(Server().port), str(port))
    proxies = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, *arguments], env=proxies, stderr=subprocess.DEVNULL, check=False)
    return done.returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_tells_what_the_server_says(status: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Health, "status", status)
    with HTTPServer(("127.0.0.1", 0), _Health) as server:
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        assert probe(server.server_port) == code
        serving.join()


def test_the_health_check_tells_when_nobody_answers() -> None:
    with HTTPServer(("127.0.0.1", 0), _Health) as server:
        free = server.server_port
    assert probe(free) != 0
