"""The documentation's way to add an engine, followed to the letter in a copy of the packages."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
STEP = re.compile(
    r"(?:Write|in) `(?P<file>[\w/.]+)`(?: before `(?P<anchor>[^`]+)`)?:?\n\n```python\n(?P<code>.*?)```", re.DOTALL
)
SPEAK = """
import anyio
from contextlib import aclosing
from configs.settings import load_settings
from models.readiness import text_to_speech_candidates
from models.registry import open_text_to_speech
from models.selection import choose
from models.text_to_speech import Voice

async def main() -> None:
    settings = load_settings()
    choice = choose("text_to_speech", "beep", text_to_speech_candidates(settings))
    engine = await open_text_to_speech(choice, settings)
    async with aclosing(engine.synthesize("one two three", language="en", voice=Voice())) as speech:
        print(choice.engine, [chunk.seconds async for chunk in speech])

anyio.run(main)
"""


def test_an_engine_is_added_by_following_the_steps(tmp_path: Path) -> None:
    for package in ("configs", "models"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    steps = list(STEP.finditer((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")))
    assert len(steps) == 6
    for step in steps:
        _follow(tmp_path / step["file"], step["anchor"], step["code"])
    done = subprocess.run([sys.executable, "-c", SPEAK], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "beep [0.1, 0.1, 0.1]", done.stderr


def _follow(file: Path, anchor: str | None, code: str) -> None:
    if anchor is None:
        assert not file.exists()
        file.write_text(code, encoding="utf-8")
        return
    text = file.read_text(encoding="utf-8")
    assert text.count(anchor) == 1, f"{anchor!r} stands {text.count(anchor)} times in {file}"
    file.write_text(text.replace(anchor, code + anchor), encoding="utf-8")
