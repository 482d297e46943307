"""Looking up before the user has finished: what is used again, what is not, on virtual time."""

from collections.abc import Callable

import anyio
import pytest

from agent.inquiry import Inquiry
from agent.lookup import Lookup, alike
from configs.errors import EngineUnavailable
from memory.search import Retrieval
from tests.conftest import Backend

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(trio_virtual: Backend) -> Backend:
    return trio_virtual


class Documents:
    """Finds nothing, slowly, and notes what it was asked."""

    def __init__(self, wait: float = 1.0, failure: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.wait = wait
        self.failure = failure
        self.cancelled = 0

    async def __call__(self, question: str) -> Retrieval:
        self.asked.append(question)
        try:
            await anyio.sleep(self.wait)
        except anyio.get_cancelled_exc_class():
            self.cancelled += 1
            raise
        if self.failure:
            raise self.failure
        return Retrieval((), answerable=False, coverage=0.0, similarity=None)


def inquiry(text: str, conversation: str = "c") -> Inquiry:
    return Inquiry(text, conversation)


async def timed(step: Callable[[], object]) -> float:
    began = anyio.current_time()
    await step()  # type: ignore[misc]
    return anyio.current_time() - began


async def test_what_was_looked_up_early_costs_nothing_later() -> None:
    documents = Documents()
    lookup = Lookup(documents)
    await lookup.ahead(inquiry("how many vacation days"))
    assert await timed(lambda: lookup.look(inquiry("How many vacation days do I get?"))) == 0
    assert documents.asked == ["how many vacation days"]


async def test_one_that_is_under_way_is_waited_for() -> None:
    documents = Documents()
    lookup = Lookup(documents)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lookup.ahead, inquiry("员工年假"))
        await anyio.sleep(0.7)
        assert await timed(lambda: lookup.look(inquiry("员工的年假？"))) == pytest.approx(0.3)
    assert documents.asked == ["员工年假"]


async def test_other_words_are_looked_up_anew_and_the_early_ones_are_let_go() -> None:
    documents = Documents()
    lookup = Lookup(documents)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lookup.ahead, inquiry("vacation"))
        await anyio.sleep(0.5)
        assert await timed(lambda: lookup.look(inquiry("vacation in the first year"))) == pytest.approx(1)
    assert documents.asked == ["vacation", "vacation in the first year"]
    assert documents.cancelled == 1


async def test_as_the_sentence_grows_only_its_newest_state_is_looked_up() -> None:
    documents = Documents()
    lookup = Lookup(documents)
    async with anyio.create_task_group() as tasks:
        for said in ("vacation", "the vacation", "vacation days", "vacation days,"):
            tasks.start_soon(lookup.ahead, inquiry(said))
            await anyio.sleep(0.1)
    assert documents.asked == ["vacation", "vacation days"]
    assert documents.cancelled == 1


async def test_conversations_do_not_share_what_was_found() -> None:
    documents = Documents()
    lookup = Lookup(documents)
    await lookup.ahead(inquiry("vacation", "one"))
    await lookup.look(inquiry("vacation", "other"))
    assert documents.asked == ["vacation", "vacation"]


async def test_it_is_used_once() -> None:
    documents = Documents()
    lookup = Lookup(documents)
    await lookup.ahead(inquiry("vacation"))
    await lookup.look(inquiry("vacation"))
    await lookup.look(inquiry("vacation"))
    assert len(documents.asked) == 2


async def test_an_early_failure_is_left_to_the_turn() -> None:
    documents = Documents(failure=EngineUnavailable("away"))
    lookup = Lookup(documents)
    await lookup.ahead(inquiry("vacation"))
    with pytest.raises(EngineUnavailable):
        await lookup.look(inquiry("vacation"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("how many vacation days", "How many vacation days do I get?", True),
        ("年假多少天", "请问，年假有多少天？", True),
        ("vacation days", "sick days", False),
        ("25 days", "26 days", False),
        ("我的猫", "我的狗", False),
    ],
)
def test_what_counts_as_the_same(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is same
