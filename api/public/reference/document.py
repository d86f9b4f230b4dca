# SPDX-License-Identifier: AGPL-3.0-or-later
"""The OpenAPI document as its page shows it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.access import ROUTES, Door
from api.public.labels import Translate
from api.public.reference.words import (
    group_words,
    operation_words,
    parameter_words,
    problem_titles,
)

Json = Mapping[str, Any]
"""Free JSON: the document is FastAPI's."""

_PROBLEM_TYPE: Final = "application/problem+json"
_JSON_TYPE: Final = "application/json"
_REF: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """A field of a body, or a parameter."""

    name: str
    place: str
    type: str
    is_needed: bool
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    """An error by its stable code."""

    code: str
    status: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationView:
    """One address and method.

    Attributes:
        permission: Name of the permission; empty when none is asked for.
        needs_session: Whether the caller has to be known.
        answer: Example as text; empty when there is none.
    """

    id: str
    method: str
    path: str
    title: str
    about: str
    permission: str
    needs_session: bool
    parameters: tuple[FieldView, ...]
    fields: tuple[FieldView, ...]
    status: str
    answer: str
    answer_fields: tuple[FieldView, ...]
    problems: tuple[ProblemView, ...]
    curl: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """Addresses that belong together."""

    id: str
    title: str
    operations: tuple[OperationView, ...]


def groups_of(document: Json, text: Translate) -> tuple[GroupView, ...]:
    """Every operation of the document, in groups, in the order of the addresses."""
    groups: dict[str, list[OperationView]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            view = _operation(document, path, method, operation, text)
            groups.setdefault(operation["tags"][0], []).append(view)
    titles = group_words(text)
    return tuple(
        GroupView(id=name, title=titles[name], operations=tuple(found))
        for name, found in groups.items()
    )


def problems_of(document: Json, text: Translate) -> tuple[ProblemView, ...]:
    """Every error that the document names, by code."""
    found = {
        view.code: view
        for operations in document["paths"].values()
        for operation in operations.values()
        for view in _problems(operation, text)
    }
    return tuple(found[code] for code in sorted(found))


def _operation(
    document: Json, path: str, method: str, operation: Json, text: Translate
) -> OperationView:
    name = operation["operationId"]
    title, about = operation_words(text)[name]
    door = ROUTES[method.upper(), path]
    status, success = next(
        (status, response)
        for status, response in operation["responses"].items()
        if status.startswith("2")
    )
    content = success.get("content", {}).get(_JSON_TYPE, {})
    body = operation.get("requestBody", {}).get("content", {})
    return OperationView(
        id=name,
        method=method.upper(),
        path=path,
        title=title,
        about=about,
        permission="" if isinstance(door, Door) else door.value,
        needs_session=door is not Door.OPEN,
        parameters=tuple(_parameters(operation, text)),
        fields=tuple(_fields(document, body.get(_JSON_TYPE, {}).get("schema", {}))),
        status=status,
        answer=_pretty(content["example"]) if "example" in content else "",
        answer_fields=tuple(_fields(document, content.get("schema", {}))),
        problems=tuple(_problems(operation, text)),
        curl=_curl(path, method.upper(), operation, is_open=door is Door.OPEN),
    )


def _parameters(operation: Json, text: Translate) -> Iterator[FieldView]:
    about = parameter_words(text)
    for parameter in operation.get("parameters", ()):
        yield FieldView(
            name=parameter["name"],
            place=parameter["in"],
            type=_type(parameter["schema"]),
            is_needed=parameter.get("required", False),
            about=about[parameter["name"].lower()],
        )


def _fields(document: Json, schema: Json) -> Iterator[FieldView]:
    """Fields of a body, one level deep; deeper ones stand in the example."""
    found = _resolved(document, schema)
    for name, field in found.get("properties", {}).items():
        yield FieldView(
            name=name,
            place="body",
            type=_type(field),
            is_needed=name in found.get("required", ()),
            about=_values(document, field),
        )


def _values(document: Json, field: Json) -> str:
    """What may be chosen, where only some words may."""
    for part in (field, field.get("items", {}), *field.get("anyOf", ())):
        chosen = _resolved(document, part).get("enum")
        if chosen:
            return ", ".join(str(each) for each in chosen)
    return ""


def _resolved(document: Json, schema: Json) -> Json:
    """A schema, or the one that it points to."""
    if "$ref" not in schema:
        return schema
    found: Json = document["components"]["schemas"][schema["$ref"].removeprefix(_REF)]
    return found


def _type(schema: Json) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REF).removesuffix("Body")
    if "anyOf" in schema:
        return " | ".join(_type(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"[{_type(schema['items'])}]"
    return " ".join(str(schema[key]) for key in ("type", "format") if key in schema)


def _problems(operation: Json, text: Translate) -> Iterator[ProblemView]:
    titles = problem_titles(text)
    for response in operation["responses"].values():
        examples = response.get("content", {}).get(_PROBLEM_TYPE, {}).get("examples", {})
        for code, example in examples.items():
            yield ProblemView(code=code, status=example["value"]["status"], title=titles[code])


def _curl(path: str, method: str, operation: Json, *, is_open: bool) -> str:
    """The same as a command."""
    lines = ["curl" if method == "GET" else f"curl --request {method}"]
    if not is_open:
        lines.append('--header "Authorization: Bearer $KEY"')
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "header" and parameter["name"].lower() == "if-match":
            lines.append("--header 'If-Match: \"1\"'")
        elif parameter["in"] == "header" and parameter["name"] == "Authorization":
            lines.append('--header "Authorization: Device $DEVICE:$SECRET"')
    content = operation.get("requestBody", {}).get("content", {})
    if "example" in content.get(_JSON_TYPE, {}):
        body = json.dumps(content[_JSON_TYPE]["example"], ensure_ascii=False)
        lines += [f"--header 'Content-Type: {_JSON_TYPE}'", f"--data '{body}'"]
    elif content:
        kind = next(iter(content))
        lines += [f"--header 'Content-Type: {kind}'", "--data-binary @picture.jpg"]
    lines.append(f'"$SERVER{path}"')
    return " \\\n  ".join(lines)


def _pretty(example: object) -> str:
    return json.dumps(example, ensure_ascii=False, indent=2)
