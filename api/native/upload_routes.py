"""Documents sent over HTTP: to the disk as they come, and then a job's; what is in them, it does not know."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException

from agent.assistant import Assistant
from api.guard.multipart import OVERHEAD, FormReader
from api.guard.request_body import content_type, pieces
from api.knowledge_json import document_json, error_of, job_json
from api.native.answers import KnowledgeDocument, KnowledgeJob
from api.openapi import BYTES, JSON, answers, refusals, schema_of, sent
from api.service import Service
from configs.errors import KnowledgeBaseNotFound, RequestError
from memory.job_queue import Job, Upload
from memory.uploads import IncomingUpload


class UploadWishes(BaseModel):
    """What is to become of a document, in the query or in the form; the form counts before the query."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: str | None = None
    """What it is called, such as handbook.pdf: the end tells its kind. In a form the file's own name, if left out."""
    knowledge: Annotated[str, Field(min_length=1, max_length=200)] = "default"
    """The knowledge base."""
    wait: bool = False
    """Whether the answer comes when the document is in: with the document, or why it cannot be read."""


_FORM = schema_of(UploadWishes)
_FILE = {"properties": {**_FORM["properties"], "file": BYTES}, "required": ["file"]}
OPENAPI: dict[str, Any] = sent(
    {"multipart/form-data": {"schema": _FORM | _FILE}, "application/octet-stream": {"schema": BYTES}}
)


class UploadRoutes:
    """The route that takes documents."""

    def __init__(self, assistant: Assistant, service: Service, router: APIRouter) -> None:
        self._store = assistant.store
        self._limits = assistant.settings.limits
        self._service = service
        begun = answers("It is kept, and is being taken in.", {JSON: KnowledgeJob}, status=202)
        told = begun | answers("It is in.", {JSON: KnowledgeDocument}) | refusals(409, 422)
        router.post("/documents", status_code=202, openapi_extra=OPENAPI, responses=told)(self.sent)

    async def sent(self, request: Request, wishes: Annotated[UploadWishes, Query()]) -> Response:
        """Keeps a document and has it taken in, in the background; it takes the place of an upload of its name."""
        return await self._service.attend(request, partial(self._answer, request, wishes))

    async def _answer(self, request: Request, wishes: UploadWishes, all_read: Callable[[], object]) -> Response:
        async with self._store.knowledge.uploads.incoming() as incoming:
            wishes, upload = await self._received(request, wishes, incoming)
            job = await self._store.jobs.add_upload(upload, knowledge=wishes.knowledge)
        all_read()
        if not wishes.wait:
            return JSONResponse(job_json(job), 202, headers={"location": f"/v1/knowledge/jobs/{job.id}"})
        return JSONResponse(await self._ended(await self._store.jobs.finished(job.id), upload.name))

    async def _received(
        self, request: Request, wishes: UploadWishes, incoming: IncomingUpload
    ) -> tuple[UploadWishes, Upload]:
        """What is wanted, once all bytes are on the disk. Raises what there is to say against them."""
        most = max(self._limits.document_bytes, self._limits.audio_bytes)
        match content_type(request):
            case "multipart/form-data":
                header = request.headers["content-type"]
                reader = FormReader(header, file="file", file_bytes=most, take_file=incoming.write)
                await _read(request, most + OVERHEAD, reader.push)
                form = reader.finish()
                if form.file is None:
                    raise RequestError("there is no file", "Send the document as `file`.", "file")
                wishes, name = _with(wishes, form.fields), form.file_name
            case "" | "application/json" as kind:
                raise HTTPException(
                    415, f"content type {kind!r} is not taken: send a form, or application/octet-stream"
                )
            case _:
                if not wishes.name:
                    raise RequestError("the document has no name", "Say in the query `name=handbook.pdf`.", "name")
                await _read(request, most, incoming.write)
                name = wishes.name
        return wishes, await run_sync(incoming.end, wishes.name or name)

    async def _ended(self, job: Job, name: str) -> dict[str, Any]:
        """The document that came of a job. Raises why there is none."""
        if job.state == "cancelled":
            raise HTTPException(409, "the job was cancelled before the document was in")
        if job.state == "failed":
            raise error_of(job.errors[0])
        there = await self._store.knowledge.documents(job.knowledge)
        document = next((one for one in there if one.uploaded and one.source == name), None)
        if document is None:
            raise KnowledgeBaseNotFound(f"{name!r} was removed as soon as it was in", "Send it again.")
        return document_json(document, job)


async def _read(request: Request, most: int, take: Callable[[bytes], object]) -> None:
    async with aclosing(pieces(request, most)) as body:
        async for piece in body:
            # It may wait for the disk.
            await run_sync(take, piece)


def _with(wishes: UploadWishes, fields: Mapping[str, Sequence[str]]) -> UploadWishes:
    """The wishes with those of a form, where an empty field says nothing. Raises RequestValidationError."""
    said = {name: values[-1] for name, values in fields.items() if values[-1].strip()}
    try:
        return UploadWishes.model_validate({**wishes.model_dump(exclude_unset=True), **said})
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_context=False)) from error
