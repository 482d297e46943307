"""An error's way out: the exit code and lines of the terminal, the body of HTTP."""

import pytest

from api.errors import body, ending
from configs.errors import AudioUnsupported, DataFolderLocked, EngineNotInstalled, RequestError

UNSUPPORTED = AudioUnsupported("'x.wav' is not audio", "Send WAV.")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UNSUPPORTED, 65, "error: 'x.wav' is not audio\n  try: Send WAV."),
        (RequestError("the question is empty"), 65, "error: the question is empty"),
        (DataFolderLocked("in use", "Wait."), 75, "error: in use\n  try: Wait."),
        (EngineNotInstalled("no package", "uv sync"), 69, "error: no package\n  try: uv sync"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(), 141, ""),
        (BaseExceptionGroup("several", [ValueError("first"), ExceptionGroup("inner", [UNSUPPORTED])]), 65, None),
        (BaseExceptionGroup("several", [KeyboardInterrupt()]), 130, "interrupted"),
    ],
)
def test_a_command_ends_with_its_errors_code_and_lines(error: BaseException, code: int, text: str | None) -> None:
    assert ending(error) == (code, ending(UNSUPPORTED)[1] if text is None else text)


def test_what_nobody_expected_is_told_in_one_line_and_how_to_see_more() -> None:
    code, text = ending(KeyError("a\nb"))
    assert code == 70  # EX_SOFTWARE
    first, second = text.split("\n")
    assert "KeyError" in first
    assert "TINGSHUO_DEBUG=1" in second


def test_the_body_has_openais_form() -> None:
    assert body(UNSUPPORTED) == {
        "error": {
            "message": "'x.wav' is not audio. Send WAV.",
            "type": "invalid_request_error",
            "param": None,
            "code": "audio_unsupported",
            "hint": "Send WAV.",
        }
    }
    assert body(DataFolderLocked("in use"))["error"]["type"] == "server_error"
