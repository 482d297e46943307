"""Knowledge over HTTP: documents listed, searched and taken out; ingestions in the background with progress."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query
from fastapi import Path as PathField
from pydantic import BaseModel, ConfigDict, Field

from agent.assistant import Assistant
from api.knowledge_json import as_json, bases_json, document_json, found_json, job_json
from api.native.answers import DocumentList, JobList, KnowledgeBaseList, KnowledgeDocument, KnowledgeJob, Search
from api.native.upload_routes import UploadRoutes
from api.openapi import JSON, answers, refusals
from api.service import Service
from configs.errors import FolderNotOpen, RequestError

Name = Annotated[str, Field(min_length=1, max_length=200)]
Base = Annotated[str, Query(min_length=1, max_length=200)]
Source = Annotated[str, Query(min_length=1, max_length=4096)]


class NewJob(BaseModel):
    """An ingestion to be begun."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    paths: Annotated[list[Annotated[str, Field(min_length=1, max_length=4096)]], Field(min_length=1, max_length=100)]
    """Files and folders on the server's machine, within `server.documents`."""
    knowledge: Name = "default"
    watch: bool = False
    """Whether it begins anew whenever something in the paths has changed."""


class KnowledgeRoutes:
    """The routes below /v1/knowledge, over one assistant."""

    def __init__(self, assistant: Assistant, service: Service) -> None:
        self._store = assistant.store
        self._limits = assistant.settings.limits
        self._open = assistant.settings.server.documents
        documents, found = answers("Documents.", {JSON: DocumentList}), answers("What was found.", {JSON: Search})
        job, jobs = answers("The ingestion.", {JSON: KnowledgeJob}), answers("Ingestions.", {JSON: JobList})
        document = answers("The document.", {JSON: KnowledgeDocument})
        begun = answers("It has begun.", {JSON: KnowledgeJob}, status=202)
        self.router = APIRouter(prefix="/v1/knowledge", tags=["knowledge"], responses=refusals(404, 507))
        self.router.get("", responses=answers("The bases.", {JSON: KnowledgeBaseList}))(self.bases)
        self.router.get("/documents", responses=documents)(self.documents)
        self.router.get("/documents/{document:int}", responses=document)(self.document)
        UploadRoutes(assistant, service, self.router)
        self.router.delete("/documents", responses=documents)(self.removed)
        self.router.get("/search", responses=found | refusals(409))(self.search)
        self.router.post("/jobs", status_code=202, responses=begun)(self.begun)
        self.router.get("/jobs", responses=jobs)(self.jobs)
        self.router.get("/jobs/{job}", responses=job)(self.job)
        self.router.delete("/jobs/{job}", responses=job)(self.cancelled)

    async def bases(self) -> dict[str, Any]:
        """The knowledge bases, and how much there is in each."""
        return {"object": "list", "data": bases_json(await self._store.knowledge.documents())}

    async def documents(self, knowledge: Base | None = None) -> dict[str, Any]:
        """The documents of one knowledge base, or of all."""
        found = await self._store.knowledge.documents(knowledge)
        return {"object": "list", "data": [as_json(document) for document in found]}

    async def document(self, document: Annotated[int, PathField(ge=1, lt=2**63)]) -> dict[str, Any]:
        """The document with that id; of an upload also the latest job for one of its name."""
        found = await self._store.knowledge.document(document)
        job = await self._store.jobs.latest(found.source, knowledge=found.knowledge) if found.uploaded else None
        return document_json(found, job)

    async def removed(self, document: Source, knowledge: Base = "default") -> dict[str, Any]:
        """Takes the document with this path, file name or title out."""
        gone = await self._store.knowledge.remove(document, knowledge=knowledge)
        return {"object": "list", "data": [as_json(one) for one in gone]}

    async def search(
        self,
        q: Annotated[str, Query(min_length=1, max_length=8_000)],
        knowledge: Annotated[list[Base] | None, Query(max_length=100)] = None,
        limit: Annotated[int | None, Query(ge=1, le=100)] = None,
    ) -> dict[str, Any]:
        """The passages that answer a question, and whether they are enough to answer from."""
        found = await self._store.knowledge.search(q, knowledge=knowledge or ["default"], limit=limit)
        return found_json(found)

    async def begun(self, wanted: NewJob) -> dict[str, Any]:
        """Has documents taken in, in the background; `GET /v1/knowledge/jobs/{id}` tells how far that is."""
        paths = await run_sync(_within, wanted.paths, self._open)
        job = await self._store.jobs.add(paths, knowledge=wanted.knowledge, watch=wanted.watch)
        return job_json(job)

    async def jobs(self) -> dict[str, Any]:
        """All ingestions that have not been forgotten, the latest first."""
        return {"object": "list", "data": [job_json(job) for job in await self._store.jobs.all()]}

    async def job(self, job: Annotated[str, Name]) -> dict[str, Any]:
        """How far an ingestion is."""
        return job_json(await self._store.jobs.get(job))

    async def cancelled(self, job: Annotated[str, Name]) -> dict[str, Any]:
        """Ends an ingestion; what is in stays in."""
        return job_json(await self._store.jobs.cancel(job))


def _within(names: Sequence[str], folders: Sequence[Path]) -> list[Path]:
    """The paths of these names. Raises RequestError for what cannot be one, FolderNotOpen for one outside of the
    folders, wherever its links lead.
    """
    roots = [folder.resolve() for folder in folders]
    return [_path(name, roots) for name in names]


def _path(name: str, roots: Sequence[Path]) -> Path:
    try:
        path = Path(name).expanduser()
        inside = any(path.resolve().is_relative_to(root) for root in roots)
    except (OSError, RuntimeError, ValueError) as error:
        # A null character, the home of somebody who is not known, links that go round.
        raise RequestError(f"{name[:200]!r} cannot be a path: {error}", "Name a file or a folder.", "paths") from error
    if not inside:
        raise FolderNotOpen(
            f"{str(path)!r} lies in no folder that callers may have read",
            "Name its folder in `server.documents`, or use `tingshuo ingest` while the server rests.",
        )
    return path
