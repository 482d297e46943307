"""What NVIDIA's tool prints, read; and a machine without it."""

import os
from pathlib import Path

import pytest

from models.gpus import Gpu, find_gpus, read_table

MIB = 1 << 20


def test_a_row_is_a_card() -> None:
    table = "NVIDIA GeForce RTX 4090, 24564, 23001\nNVIDIA H200, 143771, 143156\n"
    assert list(read_table(table)) == [
        Gpu("NVIDIA GeForce RTX 4090", 24564 * MIB, 23001 * MIB),
        Gpu("NVIDIA H200", 143771 * MIB, 143156 * MIB),
    ]


@pytest.mark.parametrize("table", ["", "No devices were found\n", "NVIDIA A100, [N/A], [N/A]\n", "a, b\n"])
def test_a_row_without_figures_is_none(table: str) -> None:
    assert list(read_table(table)) == []


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
@pytest.mark.parametrize(("script", "names"), [("echo 'NVIDIA T4, 15360, 15000'", ["NVIDIA T4"]), ("exit 9", [])])
def test_the_tool_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, names: list[str]) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [gpu.name for gpu in find_gpus()] == names


def test_without_the_tool_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_gpus() == []
