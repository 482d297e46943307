"""Question sets: a file of questions whose answers are known, read and checked; asks none of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from configs.errors import RequestError

Filled = Annotated[str, Field(min_length=1, pattern=r"\S")]


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what is known of its answer."""

    question: str
    language: str
    """ "en" or "zh"."""
    facts: tuple[str, ...] = ()
    """What a passage or an answer must say, word for word; empty where the documents do not answer."""
    source: str = ""
    """The file that answers: its name, or the end of its path."""
    heading: str = ""
    """The path of headings of the passage that answers, or its last part; empty where any will do."""
    held_out: bool = False
    """Nothing was tuned on it."""
    cross_language: bool = False
    """The file that answers is in another language than the question."""

    @property
    def answerable(self) -> bool:
        """Whether the documents answer it."""
        return bool(self.facts)


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions on the same documents."""

    cases: tuple[Case, ...]
    documents: Path | None
    """The file or folder that they are asked about; None for a knowledge base that is there already."""


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: Filled
    language: Literal["en", "zh"]
    answerable: bool = True
    facts: list[Filled] = []
    source: str = ""
    heading: str = ""
    held_out: bool = False
    cross_language: bool = False

    @model_validator(mode="after")
    def _whole(self) -> "_Question":
        if self.answerable and not (self.facts and self.source):
            raise ValueError("a question that can be answered has `facts` and a `source`")
        if not self.answerable and (self.facts or self.source or self.heading):
            raise ValueError("a question that cannot be answered has no `facts`, `source` or `heading`")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    documents: Filled | None = None
    questions: Annotated[list[_Question], Field(min_length=1)]


def read_questions(path: Path) -> QuestionSet:
    """The questions in a YAML file; `documents` lies beside it. Raises RequestError, which names the place."""
    remedy = f"Mend {path}; docs/evaluation.md says what such a file holds."
    try:
        read = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RequestError(f"{str(path)!r} cannot be read: {error.strerror}", "Name a file of questions.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RequestError(f"{path} is not valid YAML: {' '.join(str(error).split())}", remedy) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RequestError(f"{path}: {where}: {first['msg']}", remedy) from error
    documents = None if read.documents is None else path.parent / read.documents
    if documents is not None and not documents.exists():
        raise RequestError(f"{path}: there are no documents at {str(documents)!r}", "Correct `documents` in it.")
    return QuestionSet(tuple(_case(question) for question in read.questions), documents)


def _case(question: _Question) -> Case:
    return Case(
        question.question,
        question.language,
        tuple(question.facts),
        question.source,
        question.heading,
        question.held_out,
        question.cross_language,
    )
