# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be refused about programs and their keys.

::

    MachineError
    ├── ClientExistsError
    ├── ClientNotFoundError
    ├── ClientInvalidError     a part of a new program is missing or wrong
    ├── KeyNotFoundError
    ├── KeyLimitError          the program has as many working keys as it may have
    ├── KeyBeyondMakerError    the key would allow more than whoever makes it may do
    ├── AnswerPendingError     the same request is being worked on
    ├── AnswerKeyReusedError   the idempotency key belongs to another request
    └── KeyRefusedError        the key in a request does not let anybody in
        ├── KeyUnknownError
        ├── KeyExpiredError
        └── KeyRevokedError
"""

from typing import ClassVar

from central.errors import CentralError


class MachineError(CentralError):
    """Root of the errors about programs and their keys."""


class ClientExistsError(MachineError):
    """A program has this name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"program {name} exists")
        self.name = name


class ClientNotFoundError(MachineError):
    """No program has this name."""

    def __init__(self) -> None:
        super().__init__("no program has this name")


class ClientInvalidError(MachineError):
    """A part of a new program is missing or wrong; ``part`` names it."""

    def __init__(self, part: str) -> None:
        super().__init__(f"{part} is missing or wrong")
        self.part = part


class KeyNotFoundError(MachineError):
    """No working key has this prefix."""

    def __init__(self) -> None:
        super().__init__("no working key has this prefix")


class KeyLimitError(MachineError):
    """The program has as many working keys as it may have."""

    def __init__(self, keys_max: int) -> None:
        super().__init__(f"a program has at most {keys_max} working keys; revoke one first")
        self.keys_max = keys_max


class KeyBeyondMakerError(MachineError):
    """The key would allow more than whoever makes it, and so sees it, may do."""

    def __init__(self) -> None:
        super().__init__("nobody makes a key that allows more than they may do")


class AnswerPendingError(MachineError):
    """The same request is being worked on; ask again a little later."""

    def __init__(self) -> None:
        super().__init__("the first request with this key is still being worked on")


class AnswerKeyReusedError(MachineError):
    """The idempotency key belongs to another request of this caller."""

    def __init__(self) -> None:
        super().__init__("this key was used for another request")


class KeyRefusedError(MachineError):
    """The key in a request does not let anybody in; the key is in no text."""

    reason: ClassVar[str] = "refused"

    def __init__(self) -> None:
        super().__init__(f"the key is {self.reason}")


class KeyUnknownError(KeyRefusedError):
    """There is no such key; also told to whoever has only a part of one."""

    reason = "unknown"


class KeyExpiredError(KeyRefusedError):
    """The key is right, and its time is over."""

    reason = "expired"


class KeyRevokedError(KeyRefusedError):
    """The key is right, and somebody revoked it."""

    reason = "revoked"
