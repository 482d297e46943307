import gc
from collections.abc import Iterator

import pytest

from api.settling import settle


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_a_collection_after_it_goes_through_nothing_that_was_there() -> None:
    before = len(gc.get_objects())
    settle()
    assert gc.get_freeze_count() > before // 2
    assert len(gc.get_objects()) < before // 10
