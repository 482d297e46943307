"""Memory question sets: what users said over time and what they then ask, read from a file; asks nothing."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from configs.errors import RequestError

MemoryKind = Literal["single", "several", "update", "time", "never", "forgotten"]
Filled = Annotated[str, Field(min_length=1, pattern=r"\S")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MemoryQuestion(_Strict):
    """A question on what a user has said."""

    question: Filled
    kind: MemoryKind
    """What answers it: one thing, several, a change, a time; or that it was never said, or is forgotten."""
    facts: tuple[Filled, ...] = ()
    """What the reply must say, word for word."""
    not_: tuple[Filled, ...] = Field(default=(), alias="not")
    """What it must not say."""
    held_out: bool = False
    """Nothing was tuned on it."""

    @model_validator(mode="after")
    def _has_an_answer_or_none(self) -> "MemoryQuestion":
        if bool(self.facts) == (self.kind in ("never", "forgotten")):
            raise ValueError("`never` and `forgotten` have no facts, all other kinds have some")
        return self


class UserSession(_Strict):
    """What a user said in one conversation."""

    at: AwareDatetime
    turns: tuple[Filled, ...]


class SpeakingUser(_Strict):
    """A user, with what they said and what they then ask."""

    user: Filled
    language: Literal["en", "zh"]
    sessions: tuple[UserSession, ...]
    questions: tuple[MemoryQuestion, ...]

    @property
    def last(self) -> datetime:
        """When the last session began."""
        return max(session.at for session in self.sessions)


class _File(_Strict):
    users: tuple[SpeakingUser, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class MemoryQuestionSet:
    """All users of a file."""

    users: tuple[SpeakingUser, ...]


def is_about_users(path: Path) -> bool:
    """Whether a file is about users rather than documents; one that cannot be read is about neither."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return False
    return isinstance(content, dict) and "users" in content


def read_memory_questions(path: Path) -> MemoryQuestionSet:
    """The users in a YAML file. Raises RequestError, which names the place."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return MemoryQuestionSet(_File.model_validate(content).users)
    except OSError as error:
        raise RequestError(f"{str(path)!r} cannot be read: {error.strerror}", "Check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RequestError(f"{str(path)!r} is no YAML: {' '.join(str(error).split())}", "Mend it.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RequestError(
            f"{str(path)!r}: {where}: {first['msg']}", "See docs/evaluation.md for the format."
        ) from error
