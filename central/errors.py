# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that the centre can refuse or fail at.

::

    CentralError
    ├── CentralUnavailableError        the database can't be reached; try again
    ├── SettingsError                  the process can't start with these settings
    ├── QueryFileError                 a queries.sql breaks our rules (a bug)
    ├── MigrationError                 the schema could not be brought up to date
    ├── UnstorableTextError            a text with a sign that no database keeps
    ├── InvalidFilterError             a search that makes no sense
    │   └── InvalidPlatePatternError   a plate pattern with a character that no plate has
    ├── SearchTooWideError             a search that would keep the database busy for too long
    ├── PassageNotFoundError
    ├── EvidenceError
    │   ├── EvidenceNotFoundError
    │   ├── EvidenceHashMismatchError
    │   ├── EvidenceTooLargeError
    │   └── EvidenceNotAnImageError
    ├── PermissionDeniedError          the user's role does not allow this
    ├── StaleVersionError              somebody else changed it meanwhile
    ├── InvalidNameError               not lower-case words joined by hyphens
    ├── SiteNotFoundError
    ├── DeviceExistsError
    ├── DeviceNotFoundError
    ├── DeviceRefusedError             wrong secret, or the device is switched off
    ├── QuarantinedMessageNotFoundError
    ├── MendRefusedError               what was mended can't be stored in the message's place
    ├── InvitationRefusedError         unknown, used or expired token of a device
    ├── CertificateRequestInvalidError
    ├── LiveFrameNotFoundError         not asked for, not theirs, or expired
    ├── TooManyLiveFramesError         wait until the open ones expire
    ├── BrokerControlError             the broker did not give or take an account
    └── IdentityError
        ├── SessionInvalidError        unknown, expired or ended session
        ├── UserExistsError
        ├── UserNotFoundError
        ├── LastAdministratorError  nobody could administrate any more
        ├── InvalidUsernameError
        └── and those of central/identity/errors.py
"""

from uuid import UUID


class CentralError(Exception):
    """Root of every error that the centre raises on purpose."""


class CentralUnavailableError(CentralError):
    """The database can't be reached or went away; the same call may work later."""


class SettingsError(CentralError):
    """The process can't start with these settings."""


class QueryFileError(CentralError):
    """A file of queries breaks our rules: unnamed, undescribed, twice or empty."""


class MigrationError(CentralError):
    """The schema could not be brought up to date."""


class PermissionDeniedError(CentralError):
    """The user's role does not allow this; the refusal is written to the audit log."""

    def __init__(self, *, username: str, role: str, permission: str) -> None:
        super().__init__(f"role {role} has no permission {permission}")
        self.username = username
        self.role = role
        self.permission = permission


class StaleVersionError(CentralError):
    """An action was based on a version that is not the newest any more; look again."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"the {kind} was changed by somebody else meanwhile")
        self.kind = kind


class UnstorableTextError(CentralError):
    """A text holds a NUL, which PostgreSQL keeps in no text."""


class InvalidFilterError(CentralError):
    """A search that makes no sense, such as an end before its beginning."""


class InvalidPlatePatternError(InvalidFilterError):
    """A plate pattern holds a character that no plate has, or is too long.

    The pattern itself is personal data and is kept out of the message.
    """


class SearchTooWideError(CentralError):
    """A search would keep the database busy for too long; a narrower one may be answered."""


class PassageNotFoundError(CentralError):
    """No passage has this id, or the caller may not see it."""

    def __init__(self, passage_id: UUID) -> None:
        super().__init__(f"passage {passage_id} not found")
        self.passage_id = passage_id


class EvidenceError(CentralError):
    """A picture that can't be stored or found."""

    def __init__(self, sha256: str, problem: str) -> None:
        super().__init__(f"evidence {sha256}: {problem}")
        self.sha256 = sha256


class EvidenceNotFoundError(EvidenceError):
    """No picture has this hash, or it was erased."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256, "not found")


class EvidenceHashMismatchError(EvidenceError):
    """The bytes have another hash than the one they were announced with."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256, "the bytes have another hash")


class EvidenceTooLargeError(EvidenceError):
    """The picture is larger than the store accepts."""

    def __init__(self, sha256: str, *, size_bytes_max: int) -> None:
        super().__init__(sha256, f"larger than {size_bytes_max} bytes")
        self.size_bytes_max = size_bytes_max


class EvidenceNotAnImageError(EvidenceError):
    """The bytes are no JPEG."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256, "not a JPEG")


class InvalidNameError(CentralError):
    """A site, device or camera can't be called that."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:80]!r}: need 1 to 40 of a-z, 0-9 and inner hyphens")
        self.name = name


class SiteNotFoundError(CentralError):
    """No site has this id, or it lies in another province than the one stated."""

    def __init__(self, site_id: str) -> None:
        super().__init__(f"site {site_id} not found")
        self.site_id = site_id


class DeviceExistsError(CentralError):
    """A device of this name is already registered."""

    def __init__(self, device_id: str) -> None:
        super().__init__(f"device {device_id} is already registered")
        self.device_id = device_id


class DeviceNotFoundError(CentralError):
    """No device has this name."""

    def __init__(self, device_id: str) -> None:
        super().__init__(f"device {device_id} not found")
        self.device_id = device_id


class DeviceRefusedError(CentralError):
    """The device's secret is wrong, or the device is switched off."""

    def __init__(self, device_id: str) -> None:
        super().__init__(f"device {device_id} refused")
        self.device_id = device_id


class QuarantinedMessageNotFoundError(CentralError):
    """No open message in quarantine has this number, or the caller may not deal with it."""

    def __init__(self, entry_id: int) -> None:
        super().__init__(f"message {entry_id} is not in quarantine")
        self.entry_id = entry_id


class MendRefusedError(CentralError):
    """What somebody wrote can't take the place of a message in quarantine; never quotes it."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the message is not mended: {problem}")
        self.problem = problem


class InvitationRefusedError(CentralError):
    """A device's token is unknown, used or expired; which one is never told."""

    def __init__(self) -> None:
        super().__init__("the invitation is not valid")


class CertificateRequestInvalidError(CentralError):
    """A request for a certificate is damaged, or its key is of another kind than P-256."""

    def __init__(self) -> None:
        super().__init__("not a certificate request with a key on P-256")


class LiveFrameNotFoundError(CentralError):
    """This picture was not asked for, is somebody else's, or has expired."""

    def __init__(self) -> None:
        super().__init__("no such live picture")


class TooManyLiveFramesError(CentralError):
    """The user has too many live pictures open."""

    def __init__(self) -> None:
        super().__init__("too many live pictures are open")


class BrokerControlError(CentralError):
    """The broker can't be reached, or did not give or take an account; try again."""


class IdentityError(CentralError):
    """Something about users, passwords or sessions."""


class SessionInvalidError(IdentityError):
    """The session is unknown, has expired or was ended."""

    def __init__(self) -> None:
        super().__init__("session is not valid")


class UserExistsError(IdentityError):
    """The user name is taken."""

    def __init__(self, username: str) -> None:
        super().__init__(f"user {username} exists")
        self.username = username


class UserNotFoundError(IdentityError):
    """No user has this name."""

    def __init__(self, username: str) -> None:
        super().__init__(f"user {username} not found")
        self.username = username


class LastAdministratorError(IdentityError):
    """The change would leave nobody who may administrate."""

    def __init__(self, username: str) -> None:
        super().__init__(f"user {username} is the last administrator")
        self.username = username


class InvalidUsernameError(IdentityError):
    """The user name is too short, too long or holds a foreign sign."""

    def __init__(self) -> None:
        super().__init__("a user name has 2 to 40 of a-z, 0-9, dot, hyphen and underscore")
