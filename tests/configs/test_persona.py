"""Personas: the shipped ones, where a persona is found, what is refused and where, and that a change takes effect."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import persona as personas_module
from configs.errors import ConfigError, PersonaNotFound
from configs.modelfile import Modelfile, parse_modelfile
from configs.persona import (
    ROOT_MODELFILE,
    SHIPPED,
    Bilingual,
    Persona,
    Personas,
    load_persona,
    persona_folders,
)

WritePersona = Callable[..., Path]
BRAIN = "FROM qwen3:8b\n"


@pytest.fixture
def write_persona(tmp_path: Path) -> WritePersona:
    """Writes a persona into a folder, by default the user's; `brain=None` leaves its Modelfile out."""

    def write(name: str, body: str = "", brain: str | None = BRAIN, folder: str = "user") -> Path:
        (tmp_path / folder).mkdir(exist_ok=True)
        path = tmp_path / folder / f"{name}.yaml"
        path.write_text(body, encoding="utf-8")
        if brain is not None:
            path.with_suffix(".Modelfile").write_text(brain, encoding="utf-8")
        return path

    return write


@pytest.fixture
def personas(tmp_path: Path) -> Personas:
    """The personas of two folders, "user" before "shared", neither of which need exist."""
    return Personas([tmp_path / "user", tmp_path / "shared"])


def refused(personas: Personas, name: str) -> ConfigError:
    """The error that getting this persona ends in; it must have a remedy."""
    with pytest.raises(ConfigError) as caught:
        personas.get(name)
    assert caught.value.hint
    return caught.value


def test_an_empty_file_is_a_persona_with_the_defaults(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("plain")
    assert personas.get("plain") == Persona(name="plain", model="tingshuo-plain", brain=Modelfile("qwen3:8b"))


def test_a_full_file_is_read(personas: Personas, write_persona: WritePersona) -> None:
    write_persona(
        "full",
        "title: {en: Full, zh: 全}\n"
        "description: {en: All of it.}\n"
        "model: mine:latest\n"
        "language: zh\n"
        "voice: {name: alto, speed: 1.5, pitch: 0.9, oral: 9, laugh: 0, break: 7}\n"
        "greeting: {zh: 你好}\n"
        "style: |\n  Whisper.\n"
        "tools: []\n"
        "knowledge: [work, home]\n"
        "grounded: always\n"
        "reasoning: high\n",
    )
    persona = personas.get("full")
    assert persona.title == Bilingual(en="Full", zh="全")
    assert persona.description == Bilingual(en="All of it.")
    assert persona.model == "mine:latest"
    assert persona.language == "zh"
    voice = persona.voice
    assert (voice.name, voice.speed, voice.pitch) == ("alto", 1.5, 0.9)
    assert (voice.oral, voice.laugh, voice.break_) == (9, 0, 7)
    assert persona.greeting == Bilingual(zh="你好")
    assert persona.style == "Whisper.\n"
    assert persona.tools == ()
    assert persona.knowledge == ("work", "home")
    assert persona.grounded == "always"
    assert persona.reasoning == "high"


@pytest.mark.parametrize(
    ("written", "acts"), [("", False), ("oral: null", False), ("oral: 0", True), ("laugh: 2", True), ("break: 0", True)]
)
def test_a_voice_acts_when_a_level_is_set(
    personas: Personas, write_persona: WritePersona, written: str, acts: bool
) -> None:
    write_persona("actor", f"voice: {{{written}}}\n")
    assert personas.get("actor").voice.acts is acts


@pytest.mark.parametrize(("written", "read"), [("on", True), ("off", False), ("true", True), ("low", "low")])
def test_thinking_is_a_switch_or_an_effort(
    personas: Personas, write_persona: WritePersona, written: str, read: bool | str
) -> None:
    write_persona("thinker", f"reasoning: {written}\n")
    assert personas.get("thinker").reasoning == read


@pytest.mark.parametrize(
    ("text", "language", "told"),
    [
        (Bilingual(en="hi", zh="你好"), "en", "hi"),
        (Bilingual(en="hi", zh="你好"), "zh", "你好"),
        (Bilingual(en="hi", zh="你好"), "zh-CN", "你好"),
        (Bilingual(en="hi", zh="你好"), "fr", "hi"),
        (Bilingual(en="hi"), "zh", "hi"),
        (Bilingual(zh="你好"), "en", "你好"),
        (Bilingual(), "zh", ""),
    ],
)
def test_a_text_is_told_in_a_language(text: Bilingual, language: str, told: str) -> None:
    assert text.of(language) == told


def test_the_user_s_persona_comes_before_a_shared_one(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("cook", "style: mine\n", "FROM mine\n")
    write_persona("cook", "style: shared\n", "FROM shared\n", folder="shared")
    write_persona("maid", "style: shared\n", folder="shared")
    assert personas.names() == ["cook", "maid"]
    assert (personas.get("cook").style, personas.get("cook").brain.from_) == ("mine", "mine")
    assert personas.get("maid").style == "shared"


def test_a_body_alone_keeps_the_shared_brain(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("cook", "style: mine\n", brain=None)
    write_persona("cook", "style: shared\n", "FROM shared\n", folder="shared")
    assert (personas.get("cook").style, personas.get("cook").brain.from_) == ("mine", "shared")


def test_a_brain_alone_keeps_the_shared_body(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("cook", "style: mine\n", "FROM mine\n").unlink()
    write_persona("cook", "style: shared\n", "FROM shared\n", folder="shared")
    assert (personas.get("cook").style, personas.get("cook").brain.from_) == ("shared", "mine")


def test_a_body_names_a_modelfile_beside_it(personas: Personas, write_persona: WritePersona, tmp_path: Path) -> None:
    write_persona("cook", "modelfile: ../kitchen/Modelfile\n", "FROM unused\n")
    (tmp_path / "kitchen").mkdir()
    (tmp_path / "kitchen" / "Modelfile").write_text("FROM kitchen\n")
    assert personas.get("cook").brain.from_ == "kitchen"


def test_the_user_s_default_keeps_the_shipped_brain(tmp_path: Path) -> None:
    folders = persona_folders(tmp_path)
    folders[0].mkdir()
    (folders[0] / "default.yaml").write_text("voice: {speed: 1.2}\n")
    mine = load_persona("default", folders)
    assert mine.voice.speed == 1.2
    assert mine.brain == load_persona("default", [SHIPPED]).brain


def test_the_user_s_default_brain_comes_before_the_shipped_one(tmp_path: Path) -> None:
    folders = persona_folders(tmp_path)
    folders[0].mkdir()
    (folders[0] / "default.Modelfile").write_text("FROM mine\n")
    mine = load_persona("default", folders)
    assert mine.brain.from_ == "mine"
    assert mine.greeting == load_persona("default", [SHIPPED]).greeting


def test_the_default_brain_of_a_checkout_is_the_root_modelfile() -> None:
    assert load_persona("default", [SHIPPED]).brain == parse_modelfile(ROOT_MODELFILE.read_text(encoding="utf-8"))


def test_the_default_brain_of_a_wheel_lies_among_the_personas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = shutil.copytree(SHIPPED, tmp_path / "configs" / "personas")
    (installed / "default.Modelfile").write_text("FROM packed\n")
    monkeypatch.setattr(personas_module, "SHIPPED", installed)
    monkeypatch.setattr(personas_module, "ROOT_MODELFILE", tmp_path / "Modelfile")
    assert load_persona("default", [installed]).brain.from_ == "packed"
    (tmp_path / "Modelfile").write_text("FROM checkout\n")
    assert load_persona("default", [installed]).brain.from_ == "checkout"


def test_an_unknown_persona_is_answered_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(PersonaNotFound) as caught:
        load_persona("defualt", persona_folders(tmp_path))
    assert "'defualt'" in caught.value.message
    assert "companion, default, documents" in caught.value.hint
    assert str(tmp_path) in caught.value.hint


def test_where_there_are_none_an_unknown_persona_still_has_a_remedy(personas: Personas, tmp_path: Path) -> None:
    assert str(tmp_path / "user") in refused(personas, "cook").hint
    assert personas.names() == []


@pytest.mark.parametrize(
    "name",
    ["../secret", "sub/secret", "/etc/passwd", "..\\secret", "", ".", "..", "secret.yaml", "secret\0", "x" * 5000],
)
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    for folder in (tmp_path, tmp_path / "user", tmp_path / "user" / "sub"):
        folder.mkdir(exist_ok=True)
        (folder / "secret.yaml").touch()
        (folder / "secret.Modelfile").write_text(BRAIN)
    with pytest.raises(PersonaNotFound):
        Personas([tmp_path / "user"]).get(name)


@given(name=st.text(max_size=12))
def test_no_name_breaks_the_search(name: str) -> None:
    if name not in Personas([SHIPPED]).names():
        with pytest.raises(PersonaNotFound):
            load_persona(name, [SHIPPED])


def test_hidden_files_are_no_personas(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("cook")
    write_persona("._cook")
    assert personas.names() == ["cook"]


@pytest.mark.parametrize(
    ("body", "line", "named"),
    [
        ("language: zh\nvoise: {}\n", 2, "voise"),
        ("brain: {from_: x}\n", 1, "brain"),
        ("name: other\n", 1, "name"),
        ("title:\n  en: a\n  fr: b\n", 3, "title.fr"),
        ("title: Cook\n", 1, "title"),
        ("\n\nlanguage: fr\n", 3, "language"),
        ("voice:\n  name: a\n  speed: 9\n", 3, "voice.speed"),
        ("voice: {speed: fast}\n", 1, "voice.speed"),
        ("voice:\n  oral: 10\n", 2, "`voice.oral`: Input should be less than or equal to 9"),
        ("voice:\n  laugh: 3\n", 2, "`voice.laugh`: Input should be less than or equal to 2"),
        ("voice:\n  name: a\n  break: 8\n", 3, "`voice.break`: Input should be less than or equal to 7"),
        ("voice: {break: -1}\n", 1, "voice.break"),
        ("voice: {laugh: yes}\n", 1, "voice.laugh"),
        ("voice: {oral: 1.5}\n", 1, "voice.oral"),
        ("voice:\n  break_: 1\n", 2, "voice.break_"),
        ("tools: knowledge_search\n", 1, "tools"),
        ("tools:\n- recall\n- 5\n", 3, "tools.1"),
        ("grounded: sometimes\n", 1, "grounded"),
        ("# thinking\nreasoning: hard\n", 2, "'low', 'medium' or 'high'"),
        ("style: x\ngrounded: always\nknowledge: []\n", 1, "line 1: `grounded: always` needs"),
        ("language: zh\nstyle: x\nlanguage: en\n", 3, "'language' is given twice"),
        ("voice:\n  speed: 1\n  speed: 2\n", 3, "'speed' is given twice"),
        ("style: x\nvoice: [\n", 3, "not valid YAML"),
        ("style: x\n\tvoice: y\n", 2, "not valid YAML"),
        ("style: !!python/name:os.system x\n", 1, "not valid YAML"),
        ("&a {title: *a}\n", 1, "title.title"),
        ("? [a, b]\n: c\n", 1, "not valid YAML"),
        ("- style\n", 1, "dictionary"),
        ("only words\n", 1, "dictionary"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    personas: Personas, write_persona: WritePersona, body: str, line: int, named: str
) -> None:
    path = write_persona("cook", body)
    error = refused(personas, "cook")
    assert error.message.startswith(f"{path}, line {line}: ")
    assert named in error.message


@pytest.mark.parametrize(
    "body", [b"style: \xff\n", "style: 你\n".encode("gbk"), b"style: a\0b\n", b"style: 2024-99-99\n"]
)
def test_a_file_that_is_no_text_is_named(personas: Personas, write_persona: WritePersona, body: bytes) -> None:
    path = write_persona("cook")
    path.write_bytes(body)
    assert str(path) in refused(personas, "cook").message


def test_an_unknown_key_is_answered_with_the_keys(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("cook", "voise: {}\n")
    hint = refused(personas, "cook").hint
    assert "voice" in hint
    assert "brain" not in hint


@pytest.mark.parametrize(
    ("body", "keys"),
    [("voice: {pause: 1}\n", "name, speed, pitch, oral, laugh, break"), ("title: {fr: a}\n", "en, zh")],
)
def test_an_unknown_key_of_a_section_is_answered_with_the_section_s(
    personas: Personas, write_persona: WritePersona, body: str, keys: str
) -> None:
    write_persona("cook", body)
    assert refused(personas, "cook").hint == f"The keys are {keys}."


def test_a_mistake_in_a_modelfile_is_named_with_its_line(personas: Personas, write_persona: WritePersona) -> None:
    path = write_persona("cook", brain="FROM m\nSYSTM x\n")
    assert refused(personas, "cook").message.startswith(f"{path.with_suffix('.Modelfile')}, line 2: ")


def test_a_persona_without_a_modelfile_is_told_where_to_write_it(
    personas: Personas, write_persona: WritePersona
) -> None:
    path = write_persona("cook", brain=None)
    assert str(path.with_suffix(".Modelfile")) in refused(personas, "cook").hint


def test_a_modelfile_that_is_named_and_missing_is_named(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("cook", "modelfile: nowhere.Modelfile\n")
    assert "nowhere.Modelfile" in refused(personas, "cook").message


def test_a_folder_in_a_persona_s_place_is_refused(personas: Personas, tmp_path: Path) -> None:
    (tmp_path / "user" / "cook.yaml").mkdir(parents=True)
    assert "cook.yaml" in refused(personas, "cook").message


def test_a_changed_body_takes_effect(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("cook", "style: old\n")
    assert personas.get("cook").style == "old"
    write_persona("cook", "style: newer\n")
    assert personas.get("cook").style == "newer"


def test_a_changed_brain_takes_effect(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("cook", brain="FROM old\n")
    assert personas.get("cook").brain.from_ == "old"
    write_persona("cook", brain="FROM newer\n")
    assert personas.get("cook").brain.from_ == "newer"


def test_a_change_of_the_same_size_takes_effect(personas: Personas, write_persona: WritePersona) -> None:
    path = write_persona("cook", "style: old\n")
    before = personas.get("cook")
    write_persona("cook", "style: new\n")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert (before.style, personas.get("cook").style) == ("old", "new")


def test_a_change_within_one_tick_of_the_clock_takes_effect(personas: Personas, write_persona: WritePersona) -> None:
    path = write_persona("cook", "style: old\n")
    assert personas.get("cook").style == "old"
    stat = path.stat()
    write_persona("cook", "style: newer\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert personas.get("cook").style == "newer"


def test_a_file_replaced_by_an_older_one_takes_effect(
    personas: Personas, write_persona: WritePersona, tmp_path: Path
) -> None:
    path = write_persona("cook", "style: old\n")
    assert personas.get("cook").style == "old"
    replacement = tmp_path / "draft.yaml"
    replacement.write_text("style: new\n")
    stat = path.stat()
    os.utime(replacement, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    replacement.replace(path)
    assert personas.get("cook").style == "new"


def test_a_mended_file_is_read_again(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("cook", "style: [\n")
    refused(personas, "cook")
    write_persona("cook", "style: mended\n")
    assert personas.get("cook").style == "mended"


def test_a_new_persona_is_found_and_a_removed_one_is_not(personas: Personas, write_persona: WritePersona) -> None:
    path = write_persona("cook")
    assert personas.get("cook").name == "cook"
    write_persona("maid")
    assert personas.names() == ["cook", "maid"]
    path.unlink()
    with pytest.raises(PersonaNotFound):
        personas.get("cook")


def test_an_unchanged_file_is_not_read_again(personas: Personas, write_persona: WritePersona) -> None:
    """Its text is changed behind the stamp, so reading it again would show."""
    path = write_persona("cook", "style: old\n")
    personas.get("cook")
    stat = path.stat()
    path.write_text("style: new\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert personas.get("cook").style == "old"


def test_a_persona_cannot_be_changed(personas: Personas, write_persona: WritePersona) -> None:
    write_persona("cook")
    with pytest.raises(ValueError, match="frozen"):
        personas.get("cook").style = "other"  # type: ignore[misc]
