"""Keys: created, listed and revoked by command, kept as hashes alone, and noticed by whoever has them open."""

import hashlib
import json
import stat
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.guard.keys import FILE, KeyRing, keyed
from api.guard.scopes import Scope
from api.terminal.commands import app
from configs.errors import ConfigError, KeyNotFound, RequestError

CHAT = frozenset[Scope]({"chat"})


def tingshuo(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, arguments, input=stdin)
    return done.exit_code, done.stdout, done.stderr


def test_a_key_is_printed_once_and_kept_as_its_hash(data_folder: Path) -> None:
    code, out, err = tingshuo("key", "create", "phone", "--scope", "chat", "--scope", "memory", "--user", "ann")
    token = out.strip()
    assert code == 0
    assert "only time" in err
    text = (data_folder / FILE).read_text(encoding="utf-8")
    (kept,) = json.loads(text)["keys"]
    assert token not in text
    assert token[9:] not in text
    # 256 bits are 43 characters of base64.
    assert len(token.removeprefix("ts-")) == 43
    assert kept["digest"] == hashlib.sha256(token.encode()).hexdigest()
    assert (kept["name"], kept["user"], set(kept["scopes"])) == ("phone", "ann", {"chat", "memory"})
    assert not kept["trusted_headers"]
    assert stat.S_IMODE((data_folder / FILE).stat().st_mode) == 0o600


def test_a_key_opens_little_and_nobody_elses_memories_unless_told(data_folder: Path) -> None:
    tingshuo("key", "create", "phone")
    (key,) = KeyRing(data_folder).keys() or ()
    assert sorted(key.scopes) == ["audio", "chat"]
    assert (key.user, key.trusted_headers) == ("phone", False)


def test_what_is_listed_does_not_open() -> None:
    _, out, _ = tingshuo("key", "create", "phone")
    token = out.strip()
    tingshuo("key", "create", "webui", "--trusted-headers", "--scope", "admin")
    _, listed, _ = tingshuo("key", "list")
    assert token[:9] in listed
    assert token not in listed
    _, listed, _ = tingshuo("key", "list", "--json")
    assert [(key["name"], key["trusted_headers"]) for key in json.loads(listed)] == [("phone", False), ("webui", True)]
    assert all("digest" not in key for key in json.loads(listed))


SECRET = "0123456789abcdef" * 2
"""The shortest that there is: 256 bits (RFC 7518, section 3.2)."""


@pytest.mark.parametrize("piped", [False, True])
def test_a_frontend_s_secret_is_kept_with_its_key_and_never_shown(
    data_folder: Path, tmp_path: Path, piped: bool
) -> None:
    file = tmp_path / "secret"
    file.write_text(f" {SECRET}\n", encoding="utf-8")
    named = "-" if piped else str(file)
    code, out, err = tingshuo("key", "create", "webui", "--user-jwt-secret-file", named, stdin=file.read_text())
    assert code == 0, err
    (key,) = KeyRing(data_folder).keys() or ()
    assert (key.user_secret, key.trusted_headers) == (SECRET, False)
    assert stat.S_IMODE((data_folder / FILE).stat().st_mode) == 0o600
    listed, as_json = tingshuo("key", "list")[1], tingshuo("key", "list", "--json")[1]
    assert "signed users" in listed
    assert [each["signed_users"] for each in json.loads(as_json)] == [True]
    assert not any(SECRET in text for text in (out, err, listed, as_json, repr(key)))
    tingshuo("key", "revoke", "webui")
    assert SECRET not in (data_folder / FILE).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "secret", [b"", b"0" * 31, b"0" * 31 + b"\n", b"0" * 1_025, b"0" * 40 + b"\n" + b"1" * 40, b"\xff" * 40]
)
def test_a_secret_that_cannot_sign_makes_no_key(data_folder: Path, tmp_path: Path, secret: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(secret)
    code, out, err = tingshuo("key", "create", "webui", "--user-jwt-secret-file", str(file))
    assert (code, out) == (65, "")
    assert "secret" in err
    assert "0" * 31 not in err
    assert KeyRing(data_folder).keys() is None


def test_a_secret_is_asked_for_where_it_is_and_alone(data_folder: Path, tmp_path: Path) -> None:
    asked = ("key", "create", "webui", "--user-jwt-secret-file")
    for place in (tmp_path, tmp_path / "nowhere"):
        assert tingshuo(*asked, str(place))[0] == 65
    file = tmp_path / "secret"
    file.write_text(SECRET, encoding="utf-8")
    assert tingshuo(*asked, str(file), "--trusted-headers")[0] == 2
    assert KeyRing(data_folder).keys() is None


def test_keys_of_before_hold_still(data_folder: Path) -> None:
    token = KeyRing(data_folder).create("phone", scopes=CHAT, user="ann")
    kept = json.loads((data_folder / FILE).read_text(encoding="utf-8"))
    del kept["keys"][0]["user_secret"]
    (data_folder / FILE).write_text(json.dumps(kept), encoding="utf-8")
    assert (found := KeyRing(data_folder).find(token)) is not None
    assert (found.name, found.user_secret) == ("phone", "")


def test_a_key_can_be_created_for_a_program_to_read() -> None:
    _, out, _ = tingshuo("key", "create", "phone", "--json")
    assert json.loads(out).keys() == {"name", "key", "user", "scopes"}


@pytest.mark.parametrize("name", ["", "../phone", "two words", "x" * 65, "电话", "a\nb"])
def test_a_name_is_plain(name: str) -> None:
    assert tingshuo("key", "create", name)[0] == 2


def test_commands_that_cannot_be_done(data_folder: Path) -> None:
    tingshuo("key", "create", "phone")
    # The numbers are those of sysexits.h.
    assert tingshuo("key", "create", "phone")[0] == 65
    assert tingshuo("key", "revoke", "tablet")[0] == 65
    assert tingshuo("key", "create", "tablet", "--scope", "everything")[0] == 2
    assert [key.name for key in KeyRing(data_folder).keys() or ()] == ["phone"]


def test_where_the_last_key_is_revoked_the_server_is_not_open_again(data_folder: Path) -> None:
    ring = KeyRing(data_folder)
    assert ring.keys() is None
    token = ring.create("phone", scopes=CHAT, user="ann")
    assert keyed(data_folder)
    code, _, err = tingshuo("key", "revoke", "phone")
    assert code == 0
    assert FILE in err
    assert ring.find(token) is None
    assert ring.keys() == ()
    assert not keyed(data_folder)


def test_another_process_is_noticed_at_once(data_folder: Path) -> None:
    server, terminal = KeyRing(data_folder), KeyRing(data_folder)
    first = terminal.create("first", scopes=CHAT, user="ann")
    assert (found := server.find(first)) is not None
    assert found.name == "first"
    second = terminal.create("second", scopes=CHAT, user="ben")
    assert (found := server.find(second)) is not None
    assert found.user == "ben"
    terminal.revoke("first")
    assert server.find(first) is None
    (data_folder / FILE).unlink()
    assert server.find(second) is None


def test_keys_that_are_created_at_once_are_all_kept(data_folder: Path) -> None:
    def create(number: int) -> None:
        KeyRing(data_folder).create(f"key{number}", scopes=CHAT, user="ann")

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key.name for key in KeyRing(data_folder).keys() or ()} == {f"key{number}" for number in range(8)}
    assert {path.name for path in data_folder.iterdir()} == {FILE, "keys.lock"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"keys": [{"name": "a"}]}', '{"version": 1, "keys": [], "more": 1}', "\0"]
)
def test_a_damaged_file_is_told_and_opens_nothing(data_folder: Path, text: str) -> None:
    data_folder.mkdir()
    (data_folder / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        KeyRing(data_folder).find("ts-x")
    assert str(data_folder) in told.value.message
    assert tingshuo("serve", "--host", "0.0.0.0", "--port", "0")[0] == 78  # EX_CONFIG


def test_errors_of_the_ring(data_folder: Path) -> None:
    ring = KeyRing(data_folder)
    ring.create("phone", scopes=CHAT, user="ann")
    with pytest.raises(RequestError, match="phone"):
        ring.create("phone", scopes=CHAT, user="ann")
    with pytest.raises(KeyNotFound):
        ring.revoke("tablet")


def test_without_a_key_the_server_does_not_listen_to_other_machines() -> None:
    code, _, err = tingshuo("serve", "--host", "0.0.0.0", "--port", "0")
    assert code == 78  # EX_CONFIG
    assert "tingshuo key create" in err
