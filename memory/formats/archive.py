"""Packed documents: what is in one, looked at before it is unpacked; nothing is ever written to disk."""

import io
import re
import zipfile
from typing import IO, Final

from configs.errors import DocumentUnreadable, RequestTooLarge
from memory.formats.parse_limits import ParseLimits

_MOST_ENTRIES: Final = 10_000
_PIECE: Final = 1_000_000
_OVERLAP: Final = 32
"""Bytes of a piece that are looked at again with the next one."""
_SMALL: Final = 1_000_000
"""Bytes that are no bomb, however well they were packed."""
_ENTITIES: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MARKUP: Final = (".xml", ".rels", ".vml")
_SUSPECT: Final = "Look where it comes from; if it is good, save it anew."


def opened(content: bytes, limits: ParseLimits) -> zipfile.ZipFile:
    """The archive, to be read in memory, after a look at what it would become.

    Raises DocumentUnreadable where it is none, is encrypted, or names a file outside itself; RequestTooLarge over
    `limits.ratio` or `limits.unpacked`.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DocumentUnreadable(f"is damaged ({error})", "Get it anew, or mend it where it was made.") from error
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise RequestTooLarge(f"has more than {_MOST_ENTRIES} parts", _SUSPECT)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _SMALL and unpacked > limits.ratio * len(content):
        raise RequestTooLarge(
            f"is {unpacked // len(content)} times larger when it is unpacked (`limits.archive_ratio`)", _SUSPECT
        )
    if unpacked > limits.unpacked:
        raise RequestTooLarge(f"has {unpacked} bytes when it is unpacked (`limits.parse_bytes`)", _SUSPECT)
    for entry in entries:
        if entry.filename.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", entry.filename):
            raise DocumentUnreadable(f"holds a part that leads out of it ({entry.filename!r})", _SUSPECT)
        if entry.flag_bits & 1:
            raise DocumentUnreadable("is encrypted", "Save it without a password.")
    return archive


def office(content: bytes, limits: ParseLimits) -> io.BytesIO:
    """An Office document that may be parsed. Raises as `opened`, and DocumentUnreadable where it declares entities,
    which no Office program writes."""
    with opened(content, limits) as archive:
        for name in archive.namelist():
            if name.lower().endswith(_MARKUP):
                with archive.open(name) as part:
                    if _declares_entities(part):
                        raise DocumentUnreadable(f"declares XML entities ({name!r})", _SUSPECT)
    return io.BytesIO(content)


def _declares_entities(part: IO[bytes]) -> bool:
    before = b""
    while piece := part.read(_PIECE):
        piece = before + piece.replace(b"\0", b"")  # UTF-16 too
        if _ENTITIES.search(piece):
            return True
        before = piece[-_OVERLAP:]
    return False
