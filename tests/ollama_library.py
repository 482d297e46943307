"""The models that the stand-in for Ollama has, and what it tells while it gets or makes one; runs none of them."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

Line = dict[str, Any]


def listed(name: str) -> Line:
    """A model as `/api/tags` lists it."""
    details = {"parent_model": "", "format": "gguf", "family": "qwen3", "families": ["qwen3"]}
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-08-19T10:00:00.123456789Z",
        "size": 5225388164,
        "digest": sha256(name.encode()).hexdigest(),
        "details": {**details, "parameter_size": "8.2B", "quantization_level": "Q4_K_M"},
    }


def pulled(models: list[str], model: str, failure: str) -> list[Line]:
    """The lines of a pull, after which the model is there; with a `failure` it breaks off at once."""
    if failure:
        return [{"status": "pulling manifest"}, {"error": failure}]
    digest, total = sha256(model.encode()).hexdigest(), 5_225_374_720
    layer = {"status": f"pulling {digest[:12]}", "digest": f"sha256:{digest}", "total": total}
    _add(models, model)
    progress = [{**layer, "completed": total * quarter // 4} for quarter in range(1, 5)]
    ends = [{"status": end} for end in ("verifying sha256 digest", "writing manifest", "success")]
    return [{"status": "pulling manifest"}, layer, *progress, *ends]


def created(models: list[str], body: Mapping[str, Any], failure: str) -> list[Line]:
    """The lines of a create: a FROM that is not there is pulled first."""
    fetched = [] if body["from"] in models else pulled(models, body["from"], failure)
    if fetched and "error" in fetched[-1]:
        return fetched
    _add(models, body["model"])
    steps = (f"using existing layer sha256:{sha256(b'weights').hexdigest()}", "writing manifest", "success")
    return [*fetched[:-1], *({"status": step} for step in steps)]


def _add(models: list[str], model: str) -> None:
    if model not in models:
        models.append(model)
