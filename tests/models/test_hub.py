"""Fetching from the Hub: whole, resumed, retried, refused and cancelled, on real sockets of the loopback."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio
import pytest

from configs.errors import ConfigError, DataFolderUnwritable, EngineFailed, EngineUnavailable, ModelNotFound
from models.downloads import Download, size_of
from models.hub import open_hub
from tests.hub_stand_in import HubStandIn, hub_stand_in
from tests.ollama_stand_in import unused_host

pytestmark = pytest.mark.anyio

CONFIG = b'{"multilingual": true}'
MODEL = bytes(range(256)) * 40
FILES = {"o/r/config.json": CONFIG, "o/r/model.bin": MODEL, "o/r/sub/tokenizer.json": b"[]"}
SHA256 = "e96760a87768717bcebcfd25ddc7d46b4dbc95a4b0014def080c08539f7d90d0"
NO_PAUSE = (0.0, 0.0)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    with hub_stand_in() as stand_in:
        stand_in.files.update(FILES)
        monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
        yield stand_in


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def looked(folder: Path, *names: str, optional: tuple[str, ...] = ()) -> list[Download]:
    async with open_hub(pauses=NO_PAUSE) as opened:
        return await opened.look("o/r", names, folder, optional)


async def fetched(
    folder: Path, name: str = "model.bin", pauses: tuple[float, ...] = NO_PAUSE, told: list[int] | None = None
) -> list[int]:
    """Fetches one file; what was told of its progress."""
    told = [] if told is None else told
    async with open_hub(pauses=pauses) as opened:
        (wanted,) = await opened.look("o/r", [name], folder)
        await opened.fetch(wanted, told.append)
    return told


async def test_files_are_described_and_stand_smallest_first(hub: HubStandIn, tmp_path: Path) -> None:
    found = await looked(tmp_path, "model.bin", "config.json", optional=("sub/tokenizer.json", "vocabulary.txt"))
    assert [file.path.relative_to(tmp_path).as_posix() for file in found] == [
        "sub/tokenizer.json",
        "config.json",
        "model.bin",
    ]
    assert [file.size for file in found] == [2, 22, 10_240]
    # Git's names for the small ones are no SHA-256; that of the large one is what sha256sum says.
    assert [file.sha256 for file in found] == ["", "", SHA256]
    assert not hub.gets()


async def test_a_file_comes_whole_and_under_its_name(hub: HubStandIn, tmp_path: Path) -> None:
    told = await fetched(tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == MODEL
    assert told == sorted(told)
    assert told[-1] == len(MODEL)
    assert names(tmp_path) == ["model.bin"]


async def test_it_goes_on_where_it_stopped(hub: HubStandIn, tmp_path: Path) -> None:
    (tmp_path / "model.bin.part").write_bytes(MODEL[:4000])
    told = await fetched(tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == MODEL
    assert told[0] == 4000
    assert {span for _, span in hub.gets()} == {"bytes=4000-"}


async def test_a_server_without_ranges_begins_anew(hub: HubStandIn, tmp_path: Path) -> None:
    hub.knows_ranges = False
    (tmp_path / "model.bin.part").write_bytes(b"x" * 4000)
    await fetched(tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == MODEL


@pytest.mark.parametrize("extra", [0, 7])
async def test_a_part_that_is_whole_or_more_is_checked(hub: HubStandIn, tmp_path: Path, extra: int) -> None:
    (tmp_path / "model.bin.part").write_bytes(MODEL + bytes(extra))
    await fetched(tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == MODEL
    assert len(hub.gets()) == (2 if extra else 0)


async def test_an_undamaged_file_is_not_fetched_again(hub: HubStandIn, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(MODEL)
    assert await fetched(tmp_path) == [len(MODEL)]
    assert not hub.gets()


async def test_a_damaged_file_of_the_same_size_is(hub: HubStandIn, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(bytes(len(MODEL)))
    await fetched(tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == MODEL


async def test_a_transfer_that_keeps_breaking_off_is_resumed_as_long_as_it_gets_on(
    hub: HubStandIn, tmp_path: Path
) -> None:
    hub.cut_after = 2000
    await fetched(tmp_path, pauses=(0.0,))
    assert (tmp_path / "model.bin").read_bytes() == MODEL
    spans = [span for name, span in hub.gets() if name == "model.bin"]
    assert list(dict.fromkeys(spans)) == ["", *(f"bytes={start}-" for start in (2000, 4000, 6000, 8000, 10_000))]


async def test_a_busy_server_is_asked_again_and_then_given_up(hub: HubStandIn, tmp_path: Path) -> None:
    hub.statuses = [503, 429]
    await fetched(tmp_path)
    hub.statuses, before = [503] * 9, len(hub.requests)
    with pytest.raises(EngineUnavailable, match="503"):
        await looked(tmp_path, "model.bin")
    assert len(hub.requests) - before == 1 + len(NO_PAUSE)


async def test_what_comes_damaged_is_deleted_and_named(hub: HubStandIn, tmp_path: Path) -> None:
    hub.damage = True
    with pytest.raises(EngineFailed, match=r"model\.bin came damaged"):
        await fetched(tmp_path)
    assert names(tmp_path) == []


async def test_a_known_hash_counts_more_than_the_servers(hub: HubStandIn, tmp_path: Path) -> None:
    async with open_hub() as opened:
        (wanted,) = await opened.look("o/r", ["model.bin"], tmp_path, hashes={"model.bin": "0" * 64})
        with pytest.raises(EngineFailed, match="0000"):
            await opened.fetch(wanted, lambda done: None)


@pytest.mark.parametrize(
    ("status", "error"), [(401, ModelNotFound), (403, ModelNotFound), (404, ModelNotFound), (400, EngineFailed)]
)
async def test_a_refusal_is_said_at_once(hub: HubStandIn, tmp_path: Path, status: int, error: type[Exception]) -> None:
    hub.statuses = [status]
    with pytest.raises(error, match=f"{status} Entry not found"):
        await looked(tmp_path, "model.bin")
    assert len(hub.requests) == 1


async def test_who_is_cancelled_keeps_what_came(hub: HubStandIn, tmp_path: Path) -> None:
    hub.hold_after, told = 3000, [0]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(fetched, tmp_path, told=told))
        with anyio.fail_after(20):
            while told[-1] < 3000:  # noqa: ASYNC110  # the server is a thread
                await anyio.sleep(0.005)
        tasks.cancel_scope.cancel()
    assert size_of(tmp_path / "model.bin.part") == 3000
    hub.go_on.set()
    hub.hold_after = None
    await fetched(tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == MODEL
    assert hub.gets()[-1] == ("model.bin", "bytes=3000-")


async def test_a_hub_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", unused_host())
    reasons: list[str] = []
    async with open_hub(pauses=NO_PAUSE, retrying=reasons.append) as opened:
        with pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1 cannot be reached") as caught:
            await opened.look("o/r", ["model.bin"], tmp_path)
    assert "HF_ENDPOINT" in caught.value.hint
    assert len(reasons) == len(NO_PAUSE)


async def test_the_environments_proxy_is_asked(
    hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTP_PROXY", hub.endpoint)
    monkeypatch.setenv("http_proxy", hub.endpoint)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid/")
    await fetched(tmp_path, "config.json")
    assert (tmp_path / "config.json").read_bytes() == CONFIG
    assert hub.requests[0][1] == "http://hub.invalid/o/r/resolve/main/config.json"


async def test_a_folder_that_cannot_be_written_is_named(hub: HubStandIn, tmp_path: Path) -> None:
    (tmp_path / "full").write_bytes(b"")
    with pytest.raises(DataFolderUnwritable, match="full"):
        await fetched(tmp_path / "full")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HF_ENDPOINT", "hf-mirror.com", "HF_ENDPOINT is no address"),
        ("ALL_PROXY", "socks5://127.0.0.1:7890", "proxy"),
        ("ALL_PROXY", "gopher://127.0.0.1:70", "proxy"),
    ],
)
async def test_what_is_set_wrongly_is_a_setting_to_mend(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=words):
        async with open_hub():
            pass
