"""`tingshuo demo`: a spoken question about the example documents, answered in a data folder of its own."""

from dataclasses import replace
from pathlib import Path

from agent.assistant import Assistant
from api.question import question_of
from api.terminal.ask import Wishes, asked_of, recorded, show
from api.terminal.recording import check_writable
from api.terminal.screen import status
from api.tracing.opening import open_traced
from configs.errors import ConfigError, DataFolderLocked
from configs.settings import Settings

DEFAULT_OUT = Path("demo-answer.wav")
QUESTION = Path("questions") / "vacation.wav"


async def demo(settings: Settings, question: str | None, wishes: Wishes) -> None:
    """Takes in the example documents, asks, and prints the answer."""
    wishes = replace(wishes, out=wishes.out or DEFAULT_OUT)
    assert wishes.out
    check_writable(wishes.out)
    examples = examples_folder()
    wanted = examples / QUESTION if question is None else question_of(question, settings.limits.question_characters)
    apart = settings.data.expanduser() / "demo"
    try:
        with status("Opening…") as say:
            sound = await recorded(settings, wanted)
            async with open_traced(settings, folder=apart, hears=sound is not None) as assistant:
                say("Taking in the example documents…")
                await _learn(assistant, examples / "knowledge")
                answer, path = await asked_of(assistant, wanted, sound, wishes, say)
    except DataFolderLocked as error:
        raise DataFolderLocked(
            f"another demo is running: {error.message}", "Wait for it to end, or set TINGSHUO_DATA to another folder."
        ) from error
    show(answer, path, wishes)


def examples_folder() -> Path:
    """The examples, in the wheel or in the checkout. Raises ConfigError."""
    here = Path(__file__).parents[1]
    for folder in (here / "examples", here.parent / "examples"):
        if (folder / QUESTION).is_file() and any((folder / "knowledge").glob("*.*")):
            return folder
    raise ConfigError(
        f"the example documents and questions are not in {here.parent / 'examples'}",
        "Run the demo from a complete checkout of the project.",
    )


async def _learn(assistant: Assistant, folder: Path) -> None:
    taken = await assistant.store.knowledge.ingest([folder])
    for file in taken.files:
        if file.error:
            raise file.error
