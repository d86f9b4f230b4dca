# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of data protection.

CentralError
├── FindingNotFoundError        no finding has this number, or somebody decided it before
├── RuleInvalidError            a number of a rule lies outside its bounds
├── RelativesNotSetUpError      no key file is set for relatives' plates
├── RelativeInvalidError        no such official, or no plate
├── DataRequestNotFoundError    no request has this code
├── DataRequestInvalidError     a part of a request is missing or wrong
├── DataRequestStateError       its state or kind does not allow this
└── ErasureRecordNotFoundError  no erasure has this number
"""

from uuid import UUID

from central.errors import CentralError


class FindingNotFoundError(CentralError):
    """No finding has this number, or somebody decided it before."""

    def __init__(self, finding_id: int) -> None:
        super().__init__(f"finding {finding_id} is not open")
        self.finding_id = finding_id


class RuleInvalidError(CentralError):
    """A number of a rule lies outside its bounds."""

    def __init__(self, parameter: str) -> None:
        super().__init__(f"the rule's {parameter} is out of bounds")
        self.parameter = parameter


class RelativesNotSetUpError(CentralError):
    """No key file is set for relatives' plates."""

    def __init__(self) -> None:
        super().__init__("no key file is set for relatives' plates")


class RelativeInvalidError(CentralError):
    """There is no such official, or what was given is no plate."""

    def __init__(self, part: str) -> None:
        super().__init__(f"the relative's {part} is wrong")
        self.part = part


class DataRequestNotFoundError(CentralError):
    """No request has this code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"data request {code} not found")
        self.code = code


class DataRequestInvalidError(CentralError):
    """A part of a request is missing or wrong."""

    def __init__(self, part: str) -> None:
        super().__init__(f"the request's {part} is missing or wrong")
        self.part = part


class DataRequestStateError(CentralError):
    """The request's state or kind does not allow this."""

    def __init__(self, code: str) -> None:
        super().__init__(f"data request {code} does not allow this")
        self.code = code


class ErasureRecordNotFoundError(CentralError):
    """No erasure has this number."""

    def __init__(self, record_id: UUID) -> None:
        super().__init__(f"erasure {record_id} not found")
        self.record_id = record_id
