"""Where traces go: nowhere unless somebody says so, and never where a key would be shown."""

from pathlib import Path

import pytest

from configs.errors import ConfigError
from configs.settings import load_settings

HERE = "http://127.0.0.1:4318"


def destination() -> str:
    return load_settings().tracing.destination


def test_nothing_is_sent_unless_somebody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert destination() == ""
    # These say how, and for what other programs; none says where.
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"{HERE}/v1/metrics")
    assert destination() == ""


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"TINGSHUO_TRACING__ENDPOINT": HERE}, f"{HERE}/v1/traces"),
        ({"TINGSHUO_TRACING__ENDPOINT": f"{HERE}/otel/"}, f"{HERE}/otel/v1/traces"),
        # https://opentelemetry.io/docs/specs/otel/protocol/exporter: the first as it is, the second with the path.
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://box/traces"}, "https://box/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://box:4318/"}, "http://box:4318/v1/traces"),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a/t", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://b"},
            "http://a/t",
        ),
        ({"TINGSHUO_TRACING__ENDPOINT": HERE, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://b"}, f"{HERE}/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, ""),
        ({"TINGSHUO_TRACING__ENDPOINT": HERE, "OTEL_SDK_DISABLED": "True"}, ""),
        ({"TINGSHUO_TRACING__ENDPOINT": HERE, "OTEL_SDK_DISABLED": "false"}, f"{HERE}/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, "OTEL_TRACES_EXPORTER": "none"}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, f"{HERE}/v1/traces"),
        ({"TINGSHUO_TRACING__ENDPOINT": HERE, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, f"{HERE}/v1/traces"),
    ],
)
def test_who_says_where(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert destination() == url


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1:4318", "ftp://box", "http://", "http://u:secret@box", "http://b?k=secret"]
)
@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_a_variable_that_names_no_place_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str, endpoint: str) -> None:
    monkeypatch.setenv(name, endpoint)
    with pytest.raises(ConfigError) as caught:
        destination()
    assert name in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1:4318", "http://u:secret@box", "http://b?k=secret", "http://b#c", "http:// b"]
)
def test_a_setting_that_names_no_place_is_an_error(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(ConfigError, match=r"tracing\.endpoint"):
        load_settings(tracing={"endpoint": endpoint})


def test_a_protocol_that_is_not_spoken_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(ConfigError, match="grpc"):
        destination()
