"""A process killed at every step of an upload: a file is there for whom the ledger knows, and for nobody else."""

import signal
import sys
from pathlib import Path

import anyio
import pytest

from configs.settings import Grounding, Limits
from memory.folder import open_data_folder
from memory.index import open_index
from memory.jobs import Jobs
from memory.knowledge import open_knowledge
from memory.ledger import open_ledger
from models.engines.hashed import HashedEmbeddings

pytestmark = pytest.mark.anyio

VICTIM = """
import os, signal, sys
from pathlib import Path
import anyio
from configs.settings import Grounding, Limits
from memory import catalogue, job_queue, uploads
from memory.folder import open_data_folder
from memory.index import open_index
from memory.jobs import Jobs
from memory.knowledge import open_knowledge
from memory.ledger import open_ledger
from models.engines.hashed import HashedEmbeddings

data, step = sys.argv[1:]

def kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def arm():
    if step == "adding the job": job_queue.add = kill
    if step == "publishing": catalogue.publish = kill
    if step == "deleting the file before": uploads._delete = kill
    if step == "ending the job": job_queue.note = kill

async def main():
    async with (
        open_data_folder(Path(data)) as folder,
        open_ledger(folder.ledger) as ledger,
        open_index(folder.index) as index,
        open_knowledge(ledger, index, HashedEmbeddings(64), Grounding(), Limits()) as knowledge,
        anyio.create_task_group() as tasks,
    ):
        jobs = Jobs(ledger, knowledge)
        tasks.start_soon(jobs.run)
        for word in ("mountain", "volcano"):
            async with knowledge.uploads.incoming() as incoming:
                incoming.write(f"# Title\\n\\nThis is about a {word}.\\n".encode())
                job = await jobs.add_upload(incoming.end("a.md"))
            await jobs.finished(job.id)
            arm()
        print("survived", flush=True)

anyio.run(main)
"""

STEPS = {
    "adding the job": "mountain",
    "publishing": "volcano",
    "deleting the file before": "volcano",
    "ending the job": "volcano",
}
"""Where the process dies, and which of the two uploads must be found once the jobs are done."""


@pytest.mark.parametrize("step", STEPS)
async def test_what_was_taken_comes_in_and_nothing_else_stays(tmp_path: Path, step: str) -> None:
    victim = await anyio.run_process([sys.executable, "-c", VICTIM, str(tmp_path), step], check=False)
    assert victim.returncode == -signal.SIGKILL, victim.stderr.decode()
    async with (
        open_data_folder(tmp_path) as folder,
        open_ledger(folder.ledger) as ledger,
        open_index(folder.index) as index,
        open_knowledge(ledger, index, HashedEmbeddings(64), Grounding(), Limits()) as knowledge,
        anyio.create_task_group() as tasks,
    ):
        jobs = Jobs(ledger, knowledge)
        tasks.start_soon(jobs.run)
        with anyio.fail_after(30):
            for job in await jobs.all():
                assert (await jobs.finished(job.id)).state == "done"
        (file,) = folder.uploads.iterdir()
        assert STEPS[step] in file.read_text()
        (document,) = await knowledge.documents()
        for word in ("mountain", "volcano"):
            passages = (await knowledge.search(word, knowledge=["default"])).passages
            assert [passage.source for passage in passages] == (["a.md"] if word == STEPS[step] else [])
        assert document.uploaded
        tasks.cancel_scope.cancel()
