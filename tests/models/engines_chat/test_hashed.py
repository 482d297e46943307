"""Hashed n-grams: the same everywhere, like for like text, fast."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import settings
from models.engines.hashed import HashedEmbeddings, open_embeddings

EMBEDDINGS = HashedEmbeddings(256)


def cosine(one: str, other: str) -> float:
    first, second = EMBEDDINGS.embed_documents([one, other])
    return float(np.dot(first, second))


def test_another_process_gives_the_same_vector() -> None:
    code = (
        "from models.engines.hashed import HashedEmbeddings as H; print(H(256).embed_query('听说 listens at 9 a.m.'))"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1] == f"{EMBEDDINGS.embed_query('听说 listens at 9 a.m.')}\n"


@given(st.lists(st.text(), max_size=5))
def test_a_text_has_its_vector_whatever_stands_beside_it(texts: list[str]) -> None:
    together = EMBEDDINGS.embed_documents(texts)
    assert np.allclose(together, [EMBEDDINGS.embed_query(text) for text in texts]) or not texts


@given(st.text())
def test_a_vector_has_unit_length_or_is_zero(text: str) -> None:
    length = np.linalg.norm(EMBEDDINGS.embed_query(text))
    assert np.isclose(length, 1) if any(map(str.isalnum, text)) else np.isclose(length, 0) or np.isclose(length, 1)


@pytest.mark.parametrize("nothing", ["", "   ", "?!。，", "\n\t"])
def test_a_text_without_a_word_is_like_nothing(nothing: str) -> None:
    assert not any(EMBEDDINGS.embed_query(nothing))


@pytest.mark.parametrize(
    ("one", "other"),
    [("WIFI Password", "wifi password"), ("ＡＢＣ１２", "abc12"), ("年假，25天！", "年假 25天"), ("straße", "STRASSE")],
)
def test_case_width_and_punctuation_do_not_matter(one: str, other: str) -> None:
    assert np.isclose(cosine(one, other), 1)


@pytest.mark.parametrize(
    ("text", "nearer", "farther"),
    [
        ("replace the filter", "filters are replaced", "close the window"),
        ("opening hours of the office", "the office opens at eight hours", "my cat likes fish"),
        ("年假几天", "带薪年假是25天", "打印机在三楼"),
        ("请假申请", "申请请假的流程", "无线网络密码"),
        ("WiFi 密码", "wifi 密码贴在前台", "前台在一楼"),
    ],
)
def test_shared_words_make_texts_alike(text: str, nearer: str, farther: str) -> None:
    assert cosine(text, nearer) > cosine(text, farther) + 0.1


def test_repeating_a_text_hardly_changes_it() -> None:
    assert cosine("annual leave", "annual leave " * 50) > 0.9


def test_the_settings_set_the_dimensions() -> None:
    embeddings = open_embeddings(settings.HashedEmbedding(dimensions=64))
    assert embeddings.dimensions == len(embeddings.embed_query("hi")) == 64
    assert embeddings.model == "hashed-ngrams-1"
