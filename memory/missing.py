"""Missing files: which documents of a folder have lost theirs, and when that is not to be believed; deletes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.errors import DocumentUnreadable
from memory.documents import Found


@dataclass(frozen=True, slots=True)
class Missing:
    """What is known of some folders, but no longer in them."""

    gone: tuple[Path, ...]
    doubtful: tuple[tuple[Path, DocumentUnreadable], ...]
    """Folders that hold no document at all any more, as where a drive is not mounted: nothing of theirs is gone."""


def find_missing(paths: Sequence[Path], found: Found, sources: Iterable[str]) -> Missing:
    """Compares what was found in these paths with the sources that are known; blocking.

    A path that is no folder, and a folder that could not be read, tell nothing of what is below them.
    """
    there, unread = frozenset(found.files), [path for path, _ in found.failed]
    known = [path for path in map(Path, sources) if path not in there]
    folders = [folder for folder in dict.fromkeys(map(_folder, paths)) if folder]
    lost = [path for path in known if _below(path, folders) and not _below(path, unread) and _is_gone(path)]
    empty = [folder for folder in folders if not any(path.is_relative_to(folder) for path in there)]
    kept = {folder: sum(path.is_relative_to(folder) for path in lost) for folder in empty}
    return Missing(
        tuple(path for path in lost if not _below(path, empty)),
        tuple((folder, _doubt(folder, documents)) for folder, documents in kept.items() if documents),
    )


def _folder(path: Path) -> Path | None:
    try:
        resolved = path.expanduser().resolve()
        return resolved if resolved.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # told where the files are looked for
        return None


def _below(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _is_gone(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _doubt(folder: Path, documents: int) -> DocumentUnreadable:
    return DocumentUnreadable(
        f"the folder {str(folder)!r} holds no document now; the {documents} known from it stay",
        "If a drive is not mounted, mount it. If they are to go: `tingshuo knowledge remove`.",
    )
