"""Settings: the defaults, the file, the variables, who wins, and what a person reads when one is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from configs.errors import ConfigError
from configs.settings import DEFAULTS, Limits, Settings, load_settings

WriteSettings = Callable[[str], Path]


@pytest.fixture
def write_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteSettings:
    """Writes a settings file and puts it in force."""

    def write(text: str) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("TINGSHUO_CONFIG", str(path))
        return path

    return write


def refused(**overrides: object) -> ConfigError:
    """The error that loading these settings ends in; it must have a remedy."""
    with pytest.raises(ConfigError) as caught:
        load_settings(**overrides)
    assert caught.value.hint
    return caught.value


def test_the_defaults_hold(data_folder: Path) -> None:
    settings = load_settings()
    assert settings.persona == "default"
    assert settings.chat.engine == "auto"
    assert settings.server.host == "127.0.0.1"
    assert settings.data == data_folder


def test_nothing_that_is_set_by_default_points_beyond_this_machine() -> None:
    settings = load_settings()
    assert settings.chat.ollama.host.startswith("http://127.0.0.1:")
    assert settings.embeddings.ollama.host.startswith("http://127.0.0.1:")


def test_the_shipped_file_says_what_the_code_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It documents the defaults, so it must not differ from them."""
    shipped = load_settings()
    empty = tmp_path / "empty.yaml"
    empty.touch()
    monkeypatch.setenv("TINGSHUO_CONFIG", str(empty))
    assert shipped == load_settings()


def test_the_shipped_file_has_a_place_for_every_part() -> None:
    written = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    parts = {name for name, value in Settings.model_fields.items() if isinstance(value.default, BaseModel)}
    assert parts <= set(written)


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("TINGSHUO_PERSONA", "documents", ("persona", "documents")),
        ("TINGSHUO_SERVER__PORT", "9000", ("server", "port", 9000)),
        ("TINGSHUO_CHAT__OLLAMA__HOST", "http://box:11434", ("chat", "ollama", "host", "http://box:11434")),
        ("tingshuo_chat__ollama__num_ctx", "4096", ("chat", "ollama", "num_ctx", 4096)),
        ("TINGSHUO_CHAT__OLLAMA__KEEP_ALIVE", "30m", ("chat", "ollama", "keep_alive", "30m")),
        ("TINGSHUO_CHAT__OLLAMA__KEEP_ALIVE", "-1", ("chat", "ollama", "keep_alive", -1)),
        ("TINGSHUO_CHAT__FAKE__REPLIES", '["你好。"]', ("chat", "fake", "replies", ("你好。",))),
        ("TINGSHUO_LISTENING", '{"end_silence": 0.8}', ("listening", "end_silence", 0.8)),
    ],
)
def test_a_variable_sets_a_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, read: tuple[Any, ...]
) -> None:
    monkeypatch.setenv(variable, value)
    found: Any = load_settings()
    for name in read[:-1]:
        found = getattr(found, name)
    assert found == read[-1]


def test_code_wins_over_variable_and_variable_over_file(
    monkeypatch: pytest.MonkeyPatch, write_settings: WriteSettings
) -> None:
    write_settings("persona: file\nuser: file\nserver: {port: 1}\n")
    monkeypatch.setenv("TINGSHUO_PERSONA", "variable")
    monkeypatch.setenv("TINGSHUO_USER", "variable")
    settings = load_settings(persona="code")
    assert (settings.persona, settings.user, settings.server.port) == ("code", "variable", 1)


def test_a_variable_changes_its_own_value_and_leaves_its_neighbours(
    monkeypatch: pytest.MonkeyPatch, write_settings: WriteSettings
) -> None:
    write_settings("chat: {ollama: {num_ctx: 1024}}\n")
    monkeypatch.setenv("TINGSHUO_CHAT__OLLAMA__HOST", "http://box:11434")
    ollama = load_settings().chat.ollama
    assert (ollama.num_ctx, ollama.host) == (1024, "http://box:11434")


def test_a_file_may_be_chinese(write_settings: WriteSettings) -> None:
    write_settings("persona: 小听\n")
    assert load_settings().persona == "小听"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().persona = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "field", "variable"),
    [
        ("persoan: x\n", "persoan", "TINGSHUO_PERSOAN"),
        ("chat: {olama: {}}\n", "chat.olama", "TINGSHUO_CHAT__OLAMA"),
        ("chat: {ollama: {num_ctx: many}}\n", "chat.ollama.num_ctx", "TINGSHUO_CHAT__OLLAMA__NUM_CTX"),
        ("server: {port: 70000}\n", "server.port", "TINGSHUO_SERVER__PORT"),
        ("listening: {speech_threshold: 1.5}\n", "listening.speech_threshold", "TINGSHUO_LISTENING__SPEECH_THRESHOLD"),
        ("chat:\n", "chat", "TINGSHUO_CHAT"),
    ],
)
def test_a_wrong_value_is_named_with_the_file_and_the_variable(
    write_settings: WriteSettings, text: str, field: str, variable: str
) -> None:
    path = write_settings(text)
    error = refused()
    assert f"`{field}`" in error.message
    assert str(path) in error.hint
    assert variable in error.hint


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("TINGSHUO_SERVER__PORT", "many", "server.port"),
        ("TINGSHUO_CHAT__BOGUS", "1", "chat.bogus"),
        ("TINGSHUO_CHAT", "{oops", "chat"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, named: str) -> None:
    monkeypatch.setenv(variable, value)
    assert named in refused().message


def test_an_unknown_override_is_refused() -> None:
    assert "`bogus`" in refused(bogus=1).message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("chat: [\n", "line 2"),
        ("chat:\n\tengine: x\n", "line 2"),
        ("chat: {a: b\nx: y\n", "line 2"),
        ("- persona\n", "no keys"),
        ("- [persona, x]\n", "no keys"),
        ("persona\n", "no keys"),
        ("5\n", "no keys"),
        ("persona: 2024-99-99\n", "month"),
    ],
)
def test_a_file_that_is_no_yaml_of_settings_is_named(write_settings: WriteSettings, text: str, reason: str) -> None:
    path = write_settings(text)
    error = refused()
    assert str(path) in error.message
    assert reason in error.message


def test_a_file_in_another_encoding_is_named(write_settings: WriteSettings) -> None:
    path = write_settings("")
    path.write_bytes("persona: 小听\n".encode("gbk"))
    assert str(path) in refused().message


@pytest.mark.parametrize("path", ["nowhere.yaml", "", "."])
def test_a_missing_file_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("TINGSHUO_CONFIG", path)
    error = refused()
    assert "no settings file" in error.message
    assert "TINGSHUO_CONFIG" in error.hint


@pytest.mark.parametrize(
    ("name", "near"), [("TINGSHUO_PERSOAN", "TINGSHUO_PERSONA"), ("TINGSHUO_CHATT__ENGINE", "TINGSHUO_CHAT")]
)
def test_a_misspelt_variable_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str, near: str) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigError, match=name) as caught:
        load_settings()
    assert near in caught.value.hint


def test_variables_that_are_no_settings_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_DEBUG", "1")
    monkeypatch.setenv("TINGSHUO_TEST_MODEL", "qwen3:0.6b")
    assert load_settings().persona == "default"


@pytest.mark.parametrize("limit", sorted(Limits.model_fields))
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "-inf"])
def test_no_limit_can_be_taken_away(monkeypatch: pytest.MonkeyPatch, limit: str, value: str) -> None:
    monkeypatch.setenv(f"TINGSHUO_LIMITS__{limit.upper()}", value)
    with pytest.raises(ConfigError, match=rf"limits\.{limit}"):
        load_settings()
