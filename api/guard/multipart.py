"""Multipart forms, read as they come: fields and one file, each bounded; believes no type of a file, opens none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from email.utils import collapse_rfc2231_value

from configs.errors import RequestError, RequestTooLarge

FIELDS = 64
"""Of one form; the words of a list are a field each."""
FIELD_BYTES = 64_000
"""Of one field."""
HEAD_BYTES = 8_000
"""Of what stands before one part."""
OVERHEAD = 1_000_000
"""Bytes that a form may have beside its file."""


@dataclass(slots=True)
class Form:
    """What was sent."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    """The values of each, in order; "name[]" is the same field as "name"."""
    file: bytearray | None = None
    """Empty where the file was handed on as it came."""
    file_name: str = ""
    """What the sender calls the file: any text, which may hold folders."""


class FormReader:
    """Reads one form, piece by piece; however it is cut, the form is the same."""

    def __init__(
        self, content_type: str, *, file: str, file_bytes: int, take_file: Callable[[bytes], object] | None = None
    ) -> None:
        """`file`: the name of the part that may be large; `take_file` is handed its bytes, which else are kept.

        Raises RequestError where no boundary is named.
        """
        header = Message()
        header["content-type"] = content_type
        boundary = header.get_boundary("")
        if not 0 < len(boundary) <= 200:
            raise RequestError("the form names no boundary", "Let your HTTP library write the content type.")
        self.form = Form()
        self._wanted = file
        self._file_bytes = file_bytes
        self._take_file = take_file
        self._delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
        # The first delimiter has no line before it.
        self._kept = bytearray(b"\r\n")
        self._step: Callable[[], bool] = self._preamble
        self._name = ""
        self._value = bytearray()
        self._size = 0
        self._parts = 0

    def push(self, data: bytes) -> None:
        """Takes the next piece. Raises RequestError for what is no form, RequestTooLarge over a limit, and what
        `take_file` raises."""
        self._kept += data
        while self._step():
            pass

    def finish(self) -> Form:
        """The form, once all of it was pushed. Raises RequestError where its end is missing."""
        if self._step != self._epilogue:
            raise _malformed("it ends in the middle")
        return self.form

    # Each step says whether it got on, and so is to be followed by the next.

    def _preamble(self) -> bool:
        return self._up_to_delimiter(lambda data: None)

    def _after_delimiter(self) -> bool:
        if len(self._kept) < 2:
            return False
        if self._kept.startswith(b"--"):
            self._step = self._epilogue
            return True
        end = self._kept.find(b"\r\n")
        if end < 0 and len(self._kept) <= HEAD_BYTES:
            return False
        if end < 0 or self._kept[:end].strip(b" \t"):
            raise _malformed("something follows a boundary")
        del self._kept[:end]
        self._step = self._head
        return True

    def _head(self) -> bool:
        end = self._kept.find(b"\r\n\r\n")
        if max(end, 0 if end >= 0 else len(self._kept)) > HEAD_BYTES:
            raise _malformed("the head of a part is too long")
        if end < 0:
            return False
        self._begin(bytes(self._kept[2:end]))
        del self._kept[: end + 4]
        self._step = self._content
        return True

    def _content(self) -> bool:
        ended = self._up_to_delimiter(self._take)
        if ended and self._name != self._wanted:
            self._keep_field()
        return ended

    def _epilogue(self) -> bool:
        self._kept.clear()
        return False

    def _up_to_delimiter(self, take: Callable[[bytes], None]) -> bool:
        end = self._kept.find(self._delimiter)
        if end < 0:
            safe = max(0, len(self._kept) - len(self._delimiter) + 1)
            take(bytes(self._kept[:safe]))
            del self._kept[:safe]
            return False
        take(bytes(self._kept[:end]))
        del self._kept[: end + len(self._delimiter)]
        self._step = self._after_delimiter
        return True

    def _begin(self, head: bytes) -> None:
        self._parts += 1
        if self._parts > FIELDS:
            raise RequestTooLarge(f"the form has more than {FIELDS} parts", "Send fewer fields.")
        self._name, file_name = _named(head)
        if file_name is not None and self._name != self._wanted:
            raise RequestError(f"a file is sent as {self._name[:40]!r}", f"Send it as `{self._wanted}`.", self._wanted)
        self._value, self._size = bytearray(), 0
        if self._name == self._wanted:
            if self.form.file is not None:
                raise RequestError("there are several files", "Send one file at a time.", self._wanted)
            self._value = self.form.file = bytearray()
            self.form.file_name = file_name or ""

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        most = self._file_bytes if self._name == self._wanted else FIELD_BYTES
        if self._size > most:
            raise RequestTooLarge(f"`{self._name[:40]}` is larger than {most} bytes", "Send less.", self._name[:40])
        if self._take_file is not None and self._name == self._wanted:
            self._take_file(data)
        else:
            self._value += data

    def _keep_field(self) -> None:
        name = self._name.removesuffix("[]")
        try:
            self.form.fields.setdefault(name, []).append(self._value.decode())
        except UnicodeDecodeError as error:
            raise RequestError(f"`{name[:40]}` is no UTF-8", "Send text as UTF-8.", name[:40]) from error


def _named(head: bytes) -> tuple[str, str | None]:
    """A part's name, and what its file is called; None where it is no file."""
    header = Message()
    for line in head.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition":
            header["content-disposition"] = value.strip()
    name = header.get_param("name", "", "content-disposition")
    if header.get_content_disposition() != "form-data" or not name:
        raise _malformed("a part has no name")
    return collapse_rfc2231_value(name), _file_name(header)


def _file_name(header: Message) -> str | None:
    """What a part calls its file; a name that comes with its encoding (`filename*`) counts before one without."""
    said = header.get_params([], "content-disposition")
    names = [value for key, value in said if key.lower() == "filename"]
    return collapse_rfc2231_value(max(names, key=lambda name: isinstance(name, tuple))) if names else None


def _malformed(why: str) -> RequestError:
    return RequestError(f"this is no multipart form: {why}", "Let your HTTP library write the form.")
