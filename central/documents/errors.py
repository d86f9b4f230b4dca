# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with papers.

::

    CentralError
    └── DocumentError
        ├── DocumentNotFoundError        no such paper was given out
        ├── TypesettingError             the template can't be typeset (a bug), or it took too long
        │   └── UnprintableTextError     a text holds characters that the paper's font lacks
        ├── DocumentTooLargeError        more bytes than are kept
        ├── SigningKeyError              key or certificate is missing, unreadable or unfit
        └── UnreadablePdfError           what shall be verified is no PDF
"""

from central.errors import CentralError


class DocumentError(CentralError):
    """Something about papers that the authority gives out."""


class DocumentNotFoundError(DocumentError):
    """No such paper was given out."""

    def __init__(self, *, subject_kind: str, kind: str) -> None:
        super().__init__(f"no document {kind} for this {subject_kind}")
        self.subject_kind = subject_kind
        self.kind = kind


class TypesettingError(DocumentError):
    """A paper can't be typeset; never names what stands on it."""

    def __init__(self, template: str, problem: str) -> None:
        super().__init__(f"template {template}: {problem}")
        self.template = template


class UnprintableTextError(TypesettingError):
    """A text holds characters that the paper's font lacks, such as those of other scripts.

    Attributes:
        code_points: The characters, such as ``U+0E81``; no text can be read from them.
    """

    def __init__(self, template: str, code_points: tuple[str, ...]) -> None:
        super().__init__(template, f"the font lacks {', '.join(code_points)}")
        self.code_points = code_points


class DocumentTooLargeError(DocumentError):
    """A paper has more bytes than are kept."""

    def __init__(self, *, size_bytes_max: int) -> None:
        super().__init__(f"a document has at most {size_bytes_max} bytes")
        self.size_bytes_max = size_bytes_max


class SigningKeyError(DocumentError):
    """The key or its certificate is missing, unreadable or unfit for signing."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"signing key: {problem}")


class UnreadablePdfError(DocumentError):
    """What shall be verified is no PDF, or one that is broken beyond reading."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
