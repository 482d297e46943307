"""The one error tree: what went wrong, and what the reader can do about it.

    AssistantError(message, hint)
    ├── ConfigError                    a person mends a file or a variable
    │   ├── PersonaNotFound
    │   ├── EngineUnknown
    │   └── PackageNotInstalled        what a setting asks for needs one more package
    ├── EngineError                    an engine cannot do its work
    │   ├── EngineNotInstalled         a package is missing
    │   ├── ModelNotFound              its weights are missing
    │   ├── EngineUnavailable          not now; trying again may help
    │   └── EngineFailed               it broke while working
    │       ├── PromptTooLong          more tokens than the model's context holds
    │       └── TaskUnsupported        it was not made for what is asked of it
    ├── StorageError                   what is kept cannot be reached or grown
    │   ├── DataFolderLocked
    │   ├── DataFolderUnwritable
    │   ├── EmbeddingMismatch
    │   ├── VectorIndexDamaged
    │   ├── IndexUnavailable           the server of the vector index is away
    │   └── LedgerTooNew
    └── RequestError                   the caller mends the request
        ├── AudioUnsupported
        ├── NoSpeechHeard
        ├── RequestTooLarge
        ├── DocumentUnreadable
        ├── FolderNotOpen
        ├── KnowledgeBaseNotFound
        ├── JobNotFound
        ├── MemoryNotFound
        ├── TurnNotFound
        ├── PreviousResponseNotFound
        ├── ModelNotServed
        ├── KeyNotFound
        ├── InvalidApiKey                  who calls is not known
        │   └── InvalidUserToken           nor whose request it passes on
        ├── InsufficientPermissions        who calls may not do that
        ├── RateLimitExceeded              trying again later will help
        └── AddressInUse

Each door translates an error once: `message` says what happened and names the value, `hint` names the remedy. Being
interrupted is an outcome of a turn, not an error.
"""

from typing import ClassVar


class AssistantError(Exception):
    """The base of every error that a person is meant to read."""

    exit_code: ClassVar[int] = 1
    """What the terminal's door exits with; the numbers follow sysexits.h."""

    status: ClassVar[int] = 500
    """What the HTTP door answers with."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(AssistantError):
    """A setting is wrong."""

    exit_code = 78
    status = 500


class PersonaNotFound(ConfigError):
    """No persona has that name."""

    status = 404


class EngineUnknown(ConfigError):
    """No engine has that name in that slot."""


class PackageNotInstalled(ConfigError):
    """A setting asks for what a missing package brings; the hint is the command that installs it."""


class EngineError(AssistantError):
    """An engine cannot do its work."""

    exit_code = 69
    status = 503


class EngineNotInstalled(EngineError):
    """The package of an engine is missing; the hint is the command that installs it."""


class ModelNotFound(EngineError):
    """The weights of an engine are missing; the hint is the command that gets them."""


class EngineUnavailable(EngineError):
    """An engine is not ready now; trying again may help."""


class EngineFailed(EngineError):
    """An engine broke while it worked."""

    exit_code = 70
    status = 500


class PromptTooLong(EngineFailed):
    """A server refused a prompt that has more tokens than its context; 0 where it did not say how many."""

    def __init__(self, message: str, hint: str = "", tokens: int = 0, context: int = 0) -> None:
        super().__init__(message, hint)
        self.tokens = tokens
        self.context = context


class TaskUnsupported(EngineFailed):
    """An engine was not made for what is asked of it; another may be."""

    status = 400


class StorageError(AssistantError):
    """What is kept cannot be reached or grown."""

    exit_code = 74


class DataFolderLocked(StorageError):
    """Another process has the data folder open."""

    exit_code = 75
    status = 503


class DataFolderUnwritable(StorageError):
    """The data folder cannot be written: no permission, or no space left."""

    status = 507


class EmbeddingMismatch(StorageError):
    """A collection was made with another embedding model than the one in use."""

    status = 409


class VectorIndexDamaged(StorageError):
    """The vectors cannot be read, or are missing; they can be made again from the ledger."""


class IndexUnavailable(StorageError):
    """The server that keeps the vectors cannot be reached; what is kept there is not lost."""

    status = 503


class LedgerTooNew(StorageError):
    """The ledger was written by a newer version of the program."""


class RequestError(AssistantError):
    """The caller can mend the request; `param` names what in it is wrong, where that is one thing."""

    exit_code = 65
    status = 400

    def __init__(self, message: str, hint: str = "", param: str | None = None) -> None:
        super().__init__(message, hint)
        self.param = param


class AudioUnsupported(RequestError):
    """The bytes are not audio that can be decoded, or hold no samples."""

    status = 415


class NoSpeechHeard(RequestError):
    """A recording holds no speech."""

    status = 422


class RequestTooLarge(RequestError):
    """The request goes over a limit; the message names the limit."""

    status = 413


class DocumentUnreadable(RequestError):
    """A document cannot be read as text."""

    status = 422


class FolderNotOpen(RequestError):
    """A caller of the server named a file that it may not have read."""

    status = 403


class KnowledgeBaseNotFound(RequestError):
    """No knowledge base, or no document in it, has that name."""

    status = 404


class MemoryNotFound(RequestError):
    """No memory of that number is kept there."""

    status = 404


class TurnNotFound(RequestError):
    """No turn of that id is kept for that user."""

    status = 404


class PreviousResponseNotFound(RequestError):
    """A response that is to be gone on with is not kept, or another user's."""


class ModelNotServed(RequestError):
    """The caller named a model that is not served here."""

    status = 404


class JobNotFound(RequestError):
    """No ingestion in the background has that id."""

    status = 404


class KeyNotFound(RequestError):
    """No key of the server has that name."""

    status = 404


class InvalidApiKey(RequestError):
    """A call comes without a key, or with one that is not known."""

    exit_code = 77
    status = 401


class InvalidUserToken(InvalidApiKey):
    """A frontend's word on which of its users is speaking cannot be believed."""


class InsufficientPermissions(RequestError):
    """A key does not open this."""

    exit_code = 77
    status = 403


class RateLimitExceeded(RequestError):
    """More is asked at once than there is room for; `retry_after` seconds later there may be."""

    exit_code = 75
    status = 429

    def __init__(self, message: str, hint: str = "", retry_after: float = 1.0) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class AddressInUse(RequestError):
    """Another program listens on that address."""

    exit_code = 69


def error_named(name: str) -> type[AssistantError]:
    """The error of that name in the tree; the base of all where there is none."""
    kinds: list[type[AssistantError]] = [AssistantError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return next((kind for kind in kinds if kind.__name__ == name), AssistantError)
