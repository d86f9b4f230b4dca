# SPDX-License-Identifier: AGPL-3.0-or-later
"""Typesetting: values in, PDF/A-2b out; equal values make equal bytes.

typst sets the text with the fonts that its package embeds, and nothing of the machine: no fonts,
no clock, no files besides our templates, no network. A thread does the work.
"""

import asyncio
import re
from pathlib import Path
from typing import Final

import typst

from central.documents.errors import (
    DocumentTooLargeError,
    TypesettingError,
    UnprintableTextError,
)
from central.documents.layout import (
    DocumentTemplate,
    DocumentValues,
    encoded,
    payload_of,
    template_of,
)
from central.documents.statement_values import CompletenessValues, RetentionValues
from central.documents.values import BadgeValues, ErasureValues, PermitValues

TYPESETTING_TIMEOUT_S: Final = 20.0
"""Longest wait for one paper; a usual one takes some hundredths of a second. Lower: a busy
machine gives up on papers that it could make."""

DOCUMENT_BYTES_MAX: Final = 8_388_608
"""Largest paper. Equal to the limit in the database."""

PDF_STANDARD: Final = "a-2b"
TEMPLATES: Final = Path(__file__).resolve().with_name("templates")
_CODE_POINTS_NAMED_MAX: Final = 10
_MISSING: Final = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)


async def typeset(values: DocumentValues) -> bytes:
    """Typeset a paper, in a thread.

    Raises:
        UnprintableTextError: A text holds characters that the font lacks.
        TypesettingError: The template is broken, or it took longer than the limit.
        DocumentTooLargeError: The PDF is larger than what is kept.
    """
    template = template_of(values)
    try:
        async with asyncio.timeout(TYPESETTING_TIMEOUT_S):
            return await asyncio.to_thread(typeset_now, values)
    except TimeoutError as error:
        raise TypesettingError(template, "it took too long") from error


def typeset_now(values: DocumentValues) -> bytes:
    """Typeset a paper in this thread; raises as ``typeset`` does, without the limit in time."""
    template = template_of(values)
    data = encoded(payload_of(values))
    try:
        pdf = _compiler(template, data).compile(
            format="pdf", pdf_standards=[PDF_STANDARD], timestamp=_issued_at(values)
        )
    except typst.TypstError as error:
        raise _failure(template, error) from None  # the diagnostics may quote what stands on it
    if not isinstance(pdf, bytes):
        raise TypesettingError(template, "no single file came out")
    if len(pdf) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLargeError(size_bytes_max=DOCUMENT_BYTES_MAX)
    return pdf


def picture_pages(values: DocumentValues, *, dots_per_inch: float = 96.0) -> tuple[bytes, ...]:
    """The pages of a paper as PNG, for looking at a layout."""
    compiler = _compiler(template_of(values), encoded(payload_of(values)))
    pages = compiler.compile(format="png", ppi=dots_per_inch)
    if pages is None:
        return ()
    return (pages,) if isinstance(pages, bytes) else tuple(pages)


def _compiler(template: DocumentTemplate, data: str) -> typst.Compiler:
    return typst.Compiler(
        TEMPLATES / f"{template}.typ",
        root=TEMPLATES,
        ignore_system_fonts=True,
        sys_inputs={"data": data},
    )


def _issued_at(values: DocumentValues) -> int:
    """When the paper says that it was made: seconds since 1970, so that no clock is asked."""
    of_themselves = (
        BadgeValues | PermitValues | ErasureValues | CompletenessValues | RetentionValues
    )
    issued = values if isinstance(values, of_themselves) else values.heading
    return int(issued.issued_at.timestamp())


def _failure(template: DocumentTemplate, error: typst.TypstError) -> TypesettingError:
    """Our error for one of typst's, without its text."""
    if missing := _MISSING.search(error.message):
        characters = dict.fromkeys(missing[1])
        code_points = tuple(f"U+{ord(each):04X}" for each in characters)
        return UnprintableTextError(template, code_points[:_CODE_POINTS_NAMED_MAX])
    return TypesettingError(template, type(error).__name__)
