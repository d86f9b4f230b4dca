# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong between this centre and an outside provider.

::

    IdentityError
    ├── OutsideRefusedError    the provider did not say, in a way that holds, who somebody is
    └── OutsideTakenError      the outside account or the user is linked already
"""

from central.errors import IdentityError
from central.identity.outside.types import OutsideFault


class OutsideRefusedError(IdentityError):
    """The provider did not say, in a way that holds, who somebody is."""

    def __init__(self, fault: OutsideFault, why: str) -> None:
        super().__init__(f"outside sign-in failed: {fault}, {why}")
        self.fault = fault
        self.why = why


class OutsideTakenError(IdentityError):
    """The outside account, or the user, is linked to another one already."""

    def __init__(self) -> None:
        super().__init__("the outside account or the user is linked already")
