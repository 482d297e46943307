"""The OpenAPI document as a page to be read: HTML alone, with no script, and nothing that is loaded from anywhere."""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

Schema = Mapping[str, Any]

STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem }
details { border: 1px solid #8885; border-radius: .5rem; margin: .5rem 0; padding: .4rem .8rem }
summary { cursor: pointer; overflow-wrap: anywhere }
code { font: .9em ui-monospace, monospace }
summary b { display: inline-block; min-width: 4.5rem }
dt { margin-top: .4rem } dd { margin-left: 1.5rem } dd dl { margin: 0 } small { opacity: .75 }
"""
CSP: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)
"""What a browser is to hold the page to."""
DEPTH: Final = 8
"""Levels of a schema that are shown."""


def page(document: Mapping[str, Any]) -> str:
    """The page."""
    return "".join(_Page(document).html())


class _Page:
    """One page, piece by piece."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def html(self) -> Iterator[str]:
        """All of it."""
        info = self._document["info"]
        title = f"{escape(info['title'])} {escape(info['version'])}"
        yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        yield f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><h1>{title}</h1>'
        yield f'{_prose(info["description"])}<p>For programs: <a href="openapi.json">openapi.json</a></p>'
        for tag in self._document["tags"]:
            yield f"<h2>{escape(tag['name'])}</h2><p>{_inline(tag['description'])}</p>"
            for path, operations in self._document["paths"].items():
                for method, operation in operations.items():
                    if operation["tags"] == [tag["name"]]:
                        yield from self._operation(path, method, operation)
        yield "</body></html>"

    def _operation(self, path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
        yield f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> "
        yield f"{_inline(operation['summary'])}</summary>{_prose(operation.get('description', ''))}"
        yield f"<p>{_key(operation['security'])}</p>"
        if parameters := operation.get("parameters"):
            yield "<h3>Parameters</h3><dl>"
            for one in parameters:
                yield from self._property(one["name"], one["schema"], needed=one["required"], where=one["in"])
            yield "</dl>"
        if body := operation.get("requestBody"):
            yield f"<h3>Body</h3>{''.join(self._content(body['content']))}"
        for status, response in operation["responses"].items():
            told = self._resolved(response)
            yield f"<h3>{escape(status)}</h3><p>{_inline(told['description'])}</p>"
            if int(status) < 400:
                yield from self._content(told.get("content", {}))
        yield "</details>"

    def _content(self, content: Mapping[str, Any]) -> Iterator[str]:
        for kind, told in content.items():
            streamed = "itemSchema" in told
            schema = told.get("itemSchema", told.get("schema", {}))
            each = ", each" if streamed else ""
            yield f"<details open><summary><code>{escape(kind)}</code>{each}: {self._type(schema)}</summary>"
            yield f"{''.join(self._fields(schema, DEPTH))}</details>"

    def _fields(self, schema: Schema, depth: int) -> Iterator[str]:
        """The properties of an object, of the members of a list, or of each alternative."""
        schema = self._resolved(schema)
        if depth == 0:
            return
        for inner in (*schema.get("anyOf", ()), *filter(None, (schema.get("items"), schema.get("contentSchema")))):
            yield from self._fields(inner, depth - 1)
        if properties := schema.get("properties"):
            yield "<dl>"
            for name, inner in properties.items():
                yield from self._property(name, inner, needed=name in schema.get("required", ()), depth=depth)
            yield "</dl>"

    def _property(
        self, name: str, schema: Schema, *, needed: bool, where: str = "", depth: int = DEPTH
    ) -> Iterator[str]:
        notes = [self._type(schema), *([where] if where else []), *(["required"] if needed else [])]
        told = schema.get("description", "")
        yield f"<dt><code>{escape(name)}</code> <small>{', '.join(notes)}</small></dt><dd>{_inline(told)}"
        yield f"{''.join(self._fields(schema, depth - 1))}</dd>"

    def _type(self, schema: Schema) -> str:
        """A schema in a word or two."""
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return " or ".join(dict.fromkeys(self._type(one) for one in schema["anyOf"]))
        if "enum" in schema:
            return " or ".join(f"<code>{escape(repr(one))}</code>" for one in schema["enum"])
        if "const" in schema:
            return f"<code>{escape(repr(schema['const']))}</code>"
        if schema.get("type") == "array":
            return f"list of {self._type(schema.get('items', {}))}"
        return escape(str(schema.get("type", "any")))

    def _resolved(self, schema: Schema) -> Schema:
        """A schema or response, with what it refers to."""
        found = schema
        if "$ref" in schema:
            found = self._document
            for name in schema["$ref"].removeprefix("#/").split("/"):
                found = found[name]
        return found


def _key(security: list[dict[str, list[str]]]) -> str:
    """What key an operation needs."""
    if {} in security:
        return "Needs no key."
    scopes = [f"<code>{escape(scope)}</code>" for scope in next(iter(security[0].values()))]
    return f"Needs a key with {' and '.join(scopes)}, where there are keys." if scopes else "Needs a key, if any."


def _prose(text: str) -> str:
    """Paragraphs and lists."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    return "".join(_block(block) for block in blocks)


def _block(block: str) -> str:
    if not block.startswith("- "):
        return f"<p>{_inline(block)}</p>"
    items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
    return f"<ul>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</ul>"


def _inline(text: str) -> str:
    """A line, with what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
