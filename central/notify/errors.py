# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with notices.

::

    CentralError
    └── NoticeError
        └── MailNotSentError       the mail server can't be reached, or does not take it now
            └── MailRefusedError   it refuses the address for good
"""

from central.errors import CentralError


class NoticeError(CentralError):
    """Something about notices."""


class MailNotSentError(NoticeError):
    """The mail server can't be reached, or does not take the mail now; try again.

    Attributes:
        reason: Constant word for the log; never the server's text, which may quote the address.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"e-mail not sent: {reason}")
        self.reason = reason


class MailRefusedError(MailNotSentError):
    """The mail server refuses this address for good; trying again would not help."""
