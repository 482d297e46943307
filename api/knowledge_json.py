"""Knowledge as JSON: its bases, documents and jobs for a program; shows no path in the server's own folder."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from api.errors import body
from configs.errors import AssistantError, error_named
from memory.catalogue import StoredDocument
from memory.job_queue import Job, JobError
from memory.passages import Passage
from memory.search import Retrieval


def bases_json(documents: Iterable[StoredDocument]) -> list[dict[str, Any]]:
    """The knowledge bases that hold these documents, and how much there is in each."""
    bases = defaultdict[str, list[StoredDocument]](list)
    for document in documents:
        bases[document.knowledge].append(document)
    return [
        {
            "id": name,
            "object": "knowledge",
            "documents": len(inside),
            "passages": sum(document.passages for document in inside),
            "characters": sum(document.characters for document in inside),
        }
        for name, inside in bases.items()
    ]


def document_json(document: StoredDocument, job: Job | None) -> dict[str, Any]:
    """A document that can be found, and the latest job that was to take an upload of its name in."""
    return {
        "object": "knowledge.document",
        **as_json(document),
        "state": "ready",
        "job": None if job is None else job_json(job),
    }


def job_json(job: Job) -> dict[str, Any]:
    """How far a job is."""
    told = {
        "object": "knowledge.job",
        **asdict(job),
        "name": None if job.upload is None else job.upload.name,
        "paths": [str(path) for path in job.paths],
        "outcomes": dict(job.outcomes),
        "errors": [_error(error) for error in job.errors],
        "created_at": job.created_at.isoformat(),
        "updated_at": job.updated_at.isoformat(),
    }
    del told["upload"]
    return told


def error_of(told: JobError) -> AssistantError:
    """The error that a job has noted."""
    return error_named(told.kind)(told.message, told.hint)


def as_json(document: StoredDocument) -> dict[str, Any]:
    """A document for a program."""
    return {**asdict(document), "added_at": document.added_at.isoformat()}


def found_json(found: Retrieval) -> dict[str, Any]:
    """What was found, for a program."""
    return {
        "answerable": found.answerable,
        "coverage": found.coverage,
        "similarity": found.similarity,
        "passages": [_passage(passage) for passage in found.passages],
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "score": passage.score,
        "knowledge": passage.knowledge,
        "document": passage.document,
        "source": passage.source,
        "heading": passage.heading,
        "span": [passage.start, passage.end],
        "page": passage.page,
        "text": passage.text,
    }


def _error(told: JobError) -> dict[str, Any]:
    code = body(error_of(told))["error"]["code"] if told.kind else None
    return {"path": told.path, "code": code, "message": told.message, "hint": told.hint}
