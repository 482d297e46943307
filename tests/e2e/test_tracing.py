"""A traced server as a program of its own: one trace from its caller down to the last stage, without a word."""

import signal

import httpx
import pytest

from tests.collector import collector, values
from tests.e2e.conftest import QUESTIONS, running

# The example of https://www.w3.org/TR/trace-context/#examples-of-http-traceparent-headers.
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.usefixtures("handbook")
def test_a_spoken_question_is_one_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as opened:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", opened.url)
        with running("serve", "--port", "0") as server:
            url = server.line(error=True).split()[2]
            headers = {"content-type": "audio/wav", "traceparent": f"00-{TRACE}-{PARENT}-01"}
            sound = (QUESTIONS / "vacation.wav").read_bytes()
            with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
                answer = client.post("/v1/ask", content=sound, headers=headers).json()
                assert client.get("/health", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"}).json()["tracing"] == (
                    f"{opened.url}/v1/traces"
                )
            server.interrupt(signal.SIGTERM)
            assert server.ended().code == 0
        spans = opened.spans
    assert "25 days" in answer["reply"]["text"]
    request, turn = spans["POST /v1/ask"], spans["turn"]
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    assert request.parent_span_id.hex() == PARENT
    assert turn.parent_span_id == request.span_id
    assert set(spans) == {
        "POST /v1/ask", "turn", "listening", "transcription", "retrieval", "first_token", "first_clause",
        "first_audio", "generation", "synthesis",
    }  # fmt: skip
    assert request.start_time_unix_nano <= turn.start_time_unix_nano <= turn.end_time_unix_nano
    assert turn.end_time_unix_nano <= request.end_time_unix_nano
    stages = {name: span.end_time_unix_nano - span.start_time_unix_nano for name, span in spans.items()}
    assert stages["transcription"] / 1e6 == pytest.approx(
        answer["timings_ms"]["transcript"] - answer["timings_ms"]["endpoint"], abs=0.2
    )
    assert values(turn.attributes)["tingshuo.engine.speech_to_text"] == "pocketsphinx"
    assert opened.bodies
    for word in ("vacation", "25 days", "Handbook", answer["conversation"]):
        assert not any(word.encode() in body for body in opened.bodies)
