"""`tingshuo say`: clauses as they would be spoken, and a sound file of them."""

import json
import subprocess
import sys
import wave
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner, Result

from api.terminal.commands import app
from memory.folder import open_data_folder
from models.engines.fake import FakeTextToSpeech
from models.text_to_speech import Voice


def say(*arguments: str, typed: str | bytes = "") -> Result:
    return CliRunner().invoke(app, ["say", *arguments], input=typed)


def shown(*arguments: str, typed: str = "") -> list[dict[str, str]]:
    done = say("--show", *arguments, typed=typed)
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def seconds(path: Path) -> float:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return float(file.getnframes() / file.getframerate())


def test_clauses_are_shown_in_the_language_of_each() -> None:
    assert shown("今天气温25℃。It costs $12.50.") == [
        {"display": "今天气温25℃。", "spoken": "今天气温二十五摄氏度。", "language": "zh"},
        {"display": "It costs $12.50.", "spoken": "It costs twelve dollars and fifty cents.", "language": "en"},
    ]


@pytest.mark.parametrize(
    ("arguments", "language", "spoken"),
    [
        (("42",), "en", "forty-two"),
        (("42", "--language", "zh"), "zh", "四十二"),
        (("42", "--persona", "companion"), "zh", "四十二"),
        (("42", "--persona", "companion", "--language", "en"), "en", "forty-two"),
    ],
)
def test_a_clause_without_a_language_of_its_own(arguments: tuple[str, ...], language: str, spoken: str) -> None:
    (clause,) = shown(*arguments)
    assert clause["language"] == language
    assert clause["spoken"].replace(" ", "-") == spoken


def test_an_unclear_clause_follows_the_rest_of_the_text() -> None:
    assert [clause["language"] for clause in shown("我们下周三见面，地点在图书馆。\n10:30\n")] == ["zh"] * 3


def test_standard_input_is_read_to_its_end() -> None:
    assert "".join(clause["display"] for clause in shown("-", typed="One.\n二。\n")) == "One.\n二。\n"


def test_show_loads_no_engine_and_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['tingshuo', 'say', '--show', 'Hello 你好']\n"
        "from api.terminal.commands import app\n"
        "try: app(prog_name='tingshuo')\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert json.loads(done.stdout.splitlines()[0])["display"]
    heavy = {"langchain_core", "chromadb", "numpy", "av", "anyio._backends._asyncio", "httpx", "models.registry"}
    assert "configs.settings" in done.stderr.split()
    assert not heavy & set(done.stderr.split())


def test_speech_goes_into_the_file_that_is_named(tmp_path: Path, data_folder: Path) -> None:
    out = tmp_path / "said.wav"
    done = say("你好，今天是2026-11-23。", "--out", str(out))
    assert done.exit_code == 0, done.stderr
    # Eleven syllables of the date and four more, at a speaker's four or five a second.
    assert 2 < seconds(out) < 6
    assert f"{out} ({seconds(out):.1f} s, espeak-ng)" in done.stdout
    assert not data_folder.exists()


def test_else_among_the_answers(data_folder: Path) -> None:
    done = say("Hello.")
    (written,) = (data_folder / "answers").iterdir()
    assert str(written) in done.stdout
    assert seconds(written) > 0.2


def test_speed_is_the_wishes_else_the_personas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []
    for number, arguments in enumerate(([], ["--speed", "2"], ["--speed", "0.5"])):
        out = tmp_path / f"{number}.wav"
        assert say("One two three four five six seven eight.", "--out", str(out), *arguments).exit_code == 0
        lengths.append(seconds(out))
    own, fast, slow = lengths
    assert fast < 0.7 * own < 0.7 * slow


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Voice]:
    """The voices that an engine is asked for."""
    monkeypatch.setenv("TINGSHUO_TEXT_TO_SPEECH__ENGINE", "fake")
    voices: list[Voice] = []
    original = FakeTextToSpeech.synthesize

    def synthesize(self: FakeTextToSpeech, text: str, *, language: str, voice: Voice) -> object:
        voices.append(voice)
        return original(self, text, language=language, voice=voice)

    monkeypatch.setattr(FakeTextToSpeech, "synthesize", synthesize)
    return voices


def test_the_voice_is_the_wishes_else_the_personas(asked: list[Voice], tmp_path: Path) -> None:
    for arguments in (["--persona", "companion"], ["--persona", "companion", "--voice", "nova", "--speed", "1.5"]):
        assert say("Hello.", "--out", str(tmp_path / "x.wav"), *arguments).exit_code == 0
    assert asked == [Voice("default", 0.95, 1.05), Voice("nova", 1.5, 1.05)]


def test_how_the_persona_acts_reaches_the_voice(asked: list[Voice], data_folder: Path, tmp_path: Path) -> None:
    (data_folder / "personas").mkdir(parents=True)
    body = "voice: {oral: 2, laugh: 0, break: 6}\n"
    (data_folder / "personas" / "default.yaml").write_text(body, encoding="utf-8")
    assert say("Hello.", "--out", str(tmp_path / "x.wav"), "--voice", "nova").exit_code == 0
    assert asked == [Voice("nova", oral=2, laugh=0, break_=6)]


@pytest.mark.parametrize("text", ["😀", "...", "", " \n", "🎉🎉"])
@pytest.mark.parametrize("show", [["--show"], []])
def test_nothing_to_say_is_said(text: str, show: list[str], data_folder: Path) -> None:
    done = say(text, *show)
    assert done.exit_code == 65
    assert "nothing to say" in done.stderr
    assert not data_folder.exists()


def test_digits_alone_are_spoken(tmp_path: Path) -> None:
    assert say("42", "--out", str(tmp_path / "x.wav")).exit_code == 0
    assert seconds(tmp_path / "x.wav") > 0.3


@pytest.mark.parametrize("piped", [True, False])
def test_too_long_a_text_names_its_limit(monkeypatch: pytest.MonkeyPatch, piped: bool) -> None:
    monkeypatch.setenv("TINGSHUO_LIMITS__SPEECH_CHARACTERS", "10")
    text = "好" * 11
    done = say("--show", "-" if piped else text, typed=text if piped else "")
    assert done.exit_code == 65
    assert "10" in done.stderr
    assert say("--show", "好" * 10).exit_code == 0


def test_bytes_that_are_no_text_are_refused() -> None:
    assert say("--show", "-", typed=b"\xff\xfe\x00").exit_code == 65


def test_a_file_that_cannot_be_written_is_named_before_the_work(tmp_path: Path) -> None:
    done = say("Hello.", "--out", str(tmp_path / "missing" / "x.wav"))
    assert done.exit_code == 74
    assert "missing" in done.stderr


def test_an_unknown_persona_is_an_error() -> None:
    assert say("Hello.", "--persona", "nobody", "--show").exit_code == 78


@pytest.mark.anyio
async def test_a_running_server_does_not_stand_in_the_way(data_folder: Path) -> None:
    async with open_data_folder(data_folder):
        done = await anyio.run_process([sys.executable, "-m", "api.cli", "say", "Hello."], check=False)
    assert done.returncode == 0, done.stderr
