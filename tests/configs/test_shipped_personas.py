"""The personas that come with the program: complete, in both languages, and with brains that Ollama takes."""

from pathlib import Path

import pytest

from configs.modelfile import parse_modelfile, rendered
from configs.persona import Personas, load_persona, persona_folders

NAMES = ["companion", "default", "documents"]


def test_the_shipped_personas_are_these(tmp_path: Path) -> None:
    assert Personas(persona_folders(tmp_path)).names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_persona_is_complete(tmp_path: Path, name: str) -> None:
    persona = load_persona(name, persona_folders(tmp_path))
    assert persona.name == name
    assert persona.model == f"tingshuo-{name}"
    assert persona.brain.from_ == "qwen3:8b"
    assert persona.brain.system.strip() == persona.brain.system != ""
    for text in (persona.title, persona.description, persona.greeting):
        assert text.en
        assert text.zh
    assert persona.reasoning is False


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_brain_leaves_the_context_to_the_settings(tmp_path: Path, name: str) -> None:
    """Where it named one too, no other could be set."""
    assert "num_ctx" not in load_persona(name, persona_folders(tmp_path)).brain.parameters


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_brain_can_be_written_again(tmp_path: Path, name: str) -> None:
    brain = load_persona(name, persona_folders(tmp_path)).brain
    assert parse_modelfile(rendered(brain)) == brain


def test_the_default_persona_talks_as_its_model_card_says(tmp_path: Path) -> None:
    persona = load_persona("default", persona_folders(tmp_path))
    sampling = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "min_p": 0.0}
    assert {name: persona.brain.parameters[name] for name in sampling} == sampling
    assert persona.brain.messages == ()
    assert persona.grounded == "when_embedded"
    assert persona.language == "auto"


def test_the_document_expert_refuses_what_documents_do_not_answer(tmp_path: Path) -> None:
    persona = load_persona("documents", persona_folders(tmp_path))
    assert persona.grounded == "always"
    assert "knowledge_search" in persona.tools
    assert persona.knowledge


def test_the_companion_speaks_chinese(tmp_path: Path) -> None:
    persona = load_persona("companion", persona_folders(tmp_path))
    assert persona.language == "zh"
    assert persona.title.zh == "小听"
    assert [message.role for message in persona.brain.messages] == ["user", "assistant"] * 2
