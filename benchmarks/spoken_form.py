"""What turning display text into speakable text costs, clause by clause."""

import time
from pathlib import Path

from benchmarks.figures import Figure, spread
from tools.clauses import ClauseSplitter
from tools.spoken_form import language_of, spoken_form, warm_up

TEXT = """**好的**，这批货一共12.5kg，单价¥88.00，2026年11月23日下午3:30前送到，电话13812345678。涨幅约3.5%–4%。
Sure: it costs $1,299.99 (about 15% off), ships on 11/23 at 3:30pm, v2.0.1 of the GPT-4o app. Call 555-1234! 😀
- 第一项：温度-5℃，速度120km/h
- Second item: see [the page](https://example.com/a?b=1) or `make test`
"""


async def measure(folder: Path) -> list[Figure]:
    """Each clause of a dense text, a hundred times, after warming up."""
    warm_up()
    splitter = ClauseSplitter()
    clauses = [*splitter.push(TEXT), *splitter.flush()]
    waits = []
    for _ in range(100):
        for clause in clauses:
            began = time.perf_counter()
            spoken_form(clause, language_of(clause.display, "zh"))
            waits.append((time.perf_counter() - began) * 1000)
    conditions = f"{len(clauses)} clauses full of figures, both languages, 100 times"
    return [Figure("spoken form, a clause", spread(waits), "< 2 ms", conditions)]
