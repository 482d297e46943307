"""The compose file, as both profiles have it: who reaches what, who waits for whom, and that its words exist here."""

import ipaddress
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from pydantic import BaseModel
from typer.testing import CliRunner

from api.server import GRACE
from api.terminal.commands import app
from configs.server import Server
from configs.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"
PROFILES = {
    "cpu": {"download", "pull", "ollama", "persona", "assistant"},
    "gpu": {"download", "pull", "ollama-gpu", "persona-gpu", "assistant-gpu"},
}
OLLAMA_READS = {
    "OLLAMA_CONTEXT_LENGTH", "OLLAMA_FLASH_ATTENTION", "OLLAMA_GPU_OVERHEAD", "OLLAMA_KEEP_ALIVE",
    "OLLAMA_KV_CACHE_TYPE", "OLLAMA_MAX_LOADED_MODELS", "OLLAMA_NOPRUNE", "OLLAMA_NO_CLOUD",
}  # fmt: skip
"""Of what Ollama 0.32 reads (its envconfig/config.go), the names that may be used."""
OTHERS_READ = {"NO_PROXY", "no_proxy", "HF_HOME"}


def filled(value: Any) -> Any:
    """A part of the file with the defaults of its ${NAME:-default} in place; a name without one stays, and is seen."""
    if isinstance(value, dict):
        return {key: filled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each) for each in value]
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) if isinstance(value, str) else value


FILE = filled(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = sorted(name for name in SERVICES if SERVICES[name]["image"].startswith("tingshuo:"))
OLLAMAS = sorted(SERVICES.keys() - set(OURS))
SERVERS = sorted(name for name in SERVICES if name.startswith("assistant"))
JOBS = sorted(set(OURS) - set(SERVERS))
every_service = pytest.mark.parametrize("name", SERVICES)
every_one_of_ours = pytest.mark.parametrize("name", OURS)
every_ollama = pytest.mark.parametrize("name", OLLAMAS)
both_profiles = pytest.mark.parametrize("profile", PROFILES)


def role(name: str) -> str:
    """A service's name without its profile."""
    return name.removesuffix("-gpu")


def networks(name: str) -> dict[str, dict[str, Any]]:
    """The networks that a service is on, with what the file says of each."""
    written = SERVICES[name]["networks"]
    return {key: (written[key] if isinstance(written, dict) else None) or {} for key in written}


def hosts(name: str, profile: str) -> set[str]:
    """The names that a service can resolve in a profile."""
    return {
        known
        for other in PROFILES[profile] - {name}
        for network in networks(other).keys() & networks(name)
        for known in (other, *networks(other)[network].get("aliases", ()))
    }


@both_profiles
def test_a_profile_has_its_services(profile: str) -> None:
    assert {name for name in SERVICES if profile in SERVICES[name]["profiles"]} == PROFILES[profile]


def test_nothing_starts_without_a_profile() -> None:
    assert all(set(service["profiles"]) <= PROFILES.keys() for service in SERVICES.values())


def test_every_variable_of_the_caller_has_a_default() -> None:
    assert "${" not in yaml.safe_dump(FILE)


@both_profiles
def test_each_waits_for_what_it_needs_in_its_own_profile(profile: str) -> None:
    waits = {
        role(name): {role(other): how["condition"] for other, how in SERVICES[name].get("depends_on", {}).items()}
        for name in PROFILES[profile]
    }
    assert waits == {
        "download": {},
        "ollama": {},
        "pull": {"download": "service_healthy"},
        "persona": {"pull": "service_completed_successfully", "ollama": "service_healthy"},
        "assistant": {"persona": "service_completed_successfully", "ollama": "service_healthy"},
    }
    waited_for = {other for name in PROFILES[profile] for other in SERVICES[name].get("depends_on", {})}
    assert waited_for <= PROFILES[profile]


@every_service
def test_only_the_assistant_is_published_and_on_the_loopback_alone(name: str) -> None:
    published = ["127.0.0.1:8484:8484"] if name in SERVERS else []
    assert SERVICES[name].get("ports", []) == published
    assert Server().port == 8484


@every_one_of_ours
def test_a_service_claims_to_be_published_on_the_loopback_only_where_it_is(name: str) -> None:
    env = SERVICES[name]["environment"]
    claims = env.get("TINGSHUO_SERVER__PUBLISHED_ON_LOOPBACK") == "true"
    addresses = [port.split(":")[0] for port in SERVICES[name].get("ports", ())]
    assert claims == (bool(addresses) and all(ipaddress.ip_address(each).is_loopback for each in addresses))
    assert claims == ("TINGSHUO_SERVER__HOST" in env)


def test_only_the_download_reaches_out() -> None:
    reached = {network: {name for name in SERVICES if network in networks(name)} for network in FILE["networks"]}
    assert reached == {
        "inside": {"ollama", "ollama-gpu", "persona", "persona-gpu", "assistant", "assistant-gpu"},
        "outside": {"download", "pull"},
        "door": {"persona", "persona-gpu", "assistant", "assistant-gpu"},
    }
    assert FILE["networks"] == {
        "inside": {"internal": True},
        "outside": {},
        "door": {"driver_opts": {"com.docker.network.bridge.enable_ip_masquerade": "false"}},
    }


@both_profiles
def test_every_address_names_a_neighbour_that_is_not_behind_a_proxy(profile: str) -> None:
    for name in PROFILES[profile] & set(OURS):
        env = SERVICES[name]["environment"]
        for key in ("TINGSHUO_CHAT__OLLAMA__HOST", "TINGSHUO_EMBEDDINGS__OLLAMA__HOST"):
            url = urlsplit(env[key])
            assert url.hostname in hosts(name, profile)
            assert url.hostname in env["NO_PROXY"].split(",")
            assert url.port == 11434  # which Ollama's image listens on
        assert env["NO_PROXY"] == env["no_proxy"]


@every_service
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "userns_mode"}
    assert re.fullmatch(r"\d+g", service["mem_limit"])
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@every_one_of_ours
def test_ours_run_as_nobody_special_on_a_file_system_that_cannot_be_written(name: str) -> None:
    service = SERVICES[name]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert service["read_only"] is True
    assert [mount.split(":")[0] for mount in service["tmpfs"]] == ["/tmp"]
    assert f"USER {service['user']}\n" in dockerfile
    assert service["pids_limit"] > 0


@every_service
def test_what_is_kept_lies_in_named_volumes(name: str) -> None:
    mounts = {"data:/data"} if name in OURS else {"ollama:/root/.ollama"}
    assert set(SERVICES[name]["volumes"]) == mounts
    assert FILE["volumes"].keys() == {"data", "ollama"}
    assert "TINGSHUO_DATA=/data" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


@every_service
def test_images_have_a_version(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    if name in OURS:
        assert SERVICES[name]["build"]["target"] == tag
        assert re.search(rf"^FROM \S+ AS {tag}$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
        return
    assert image == "ollama/ollama"
    assert re.fullmatch(r"\d+\.\d+\.\d+", tag)
    assert tuple(map(int, tag.split("."))) >= (0, 17, 1)  # CVE-2026-7482


@every_service
def test_who_stays_is_watched_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    if name in JOBS:
        assert service["healthcheck"] == {"disable": True}
        assert service["restart"] == "no"
        return
    # The assistant's check is the image's own: tests/test_dockerfile.py.
    assert service.get("healthcheck", {}).get("test") == (["CMD", "ollama", "list"] if name in OLLAMAS else None)
    assert service["restart"] == ("no" if name == "download" else "unless-stopped")
    assert int(service["stop_grace_period"].removesuffix("s")) > GRACE


@every_service
def test_a_gpu_is_taken_only_where_one_is_asked_for(name: str) -> None:
    wanted = {"driver": "nvidia", "device_ids": ["0"], "capabilities": ["gpu"]}
    devices = SERVICES[name].get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
    assert devices == ([wanted] if name in ("ollama-gpu", "assistant-gpu") else [])


def leaves(model: BaseModel, above: str = "TINGSHUO_") -> dict[str, Any]:
    """Every setting's variable and value."""
    found: dict[str, Any] = {}
    for field, value in model:
        variable = above + field.upper()
        found |= leaves(value, f"{variable}__") if isinstance(value, BaseModel) else {variable: value}
    return found


@every_one_of_ours
def test_every_variable_is_a_setting_and_is_understood(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    env = SERVICES[name]["environment"]
    assert all(isinstance(value, str) for value in env.values())
    ours = {key: value for key, value in env.items() if key not in OTHERS_READ}
    for key, value in ours.items():
        monkeypatch.setenv(key, value)
    in_force = leaves(load_settings())
    assert {key: str(in_force[key]).lower() for key in ours} == {key: value.lower() for key, value in ours.items()}


@every_ollama
def test_ollama_understands_every_variable(name: str) -> None:
    env = SERVICES[name]["environment"]
    assert env.keys() <= OLLAMA_READS | OTHERS_READ
    assert all(isinstance(value, str) for value in env.values())


@every_ollama
def test_ollama_keeps_one_model_loaded_with_one_context(name: str) -> None:
    env, chat = SERVICES[name]["environment"], Settings().chat.ollama
    assert env["OLLAMA_CONTEXT_LENGTH"] == str(chat.num_ctx)
    assert env["OLLAMA_KEEP_ALIVE"] == str(chat.keep_alive)
    assert env["OLLAMA_NO_CLOUD"] == "1"
    assert env["OLLAMA_NOPRUNE"] == "1"
    # Ollama quantizes the context only with flash attention.
    assert env.get("OLLAMA_KV_CACHE_TYPE", "f16") == "f16" or env["OLLAMA_FLASH_ATTENTION"] == "1"


@every_one_of_ours
def test_ollama_is_waited_for_and_never_done_without(name: str) -> None:
    env, defaults = SERVICES[name]["environment"], Settings()
    assert env["TINGSHUO_CHAT__ENGINE"] == env["TINGSHUO_EMBEDDINGS__ENGINE"] == "ollama"
    assert env["TINGSHUO_PERSONA"] == defaults.persona
    heard_by = "TINGSHUO_SPEECH_TO_TEXT__FASTER_WHISPER__MODEL"
    assert env[heard_by] == defaults.speech_to_text.faster_whisper.model == SERVICES["pull"]["environment"][heard_by]


def understood(arguments: Sequence[str]) -> bool:
    """Whether `tingshuo` has the command and knows its options; nothing is run."""
    return CliRunner().invoke(app, [*arguments, "--help"]).exit_code == 0


@every_one_of_ours
def test_every_command_exists_or_is_known_to_come(name: str) -> None:
    arguments = tuple(SERVICES[name]["command"])
    assert understood(arguments)


def test_a_command_that_does_not_exist_is_seen() -> None:
    assert understood(["serve", "--port", "1"])
    assert not understood(["srve"])
    assert not understood(["serve", "--porto", "1"])


@both_profiles
def test_docker_accepts_the_file(profile: str) -> None:
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("there is no `docker` here to read the compose file with")
    if subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("`docker` here has no compose plugin to read the compose file with")
    done = subprocess.run(
        [docker, "compose", "--file", COMPOSE, "--profile", profile, "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
