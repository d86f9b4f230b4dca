# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with units, areas and proofs of identity.

::

    IdentityError
    ├── UnitNotFoundError
    ├── AreaNotFoundError
    ├── UnitInUseError          people still belong to it
    ├── AreaInUseError          people or units are still confined to it
    ├── RoleNotAssignableError  no person may be given this role by an administrator
    ├── OwnAccountError         nobody changes the own role, areas or state
    ├── SecondFactorOffError    this api has no key for second factors
    └── IdentityProofMissingError  nobody said how a person was recognised
"""

from central.errors import IdentityError


class UnitNotFoundError(IdentityError):
    """No unit has this id."""

    def __init__(self, unit_id: str) -> None:
        super().__init__(f"unit {unit_id} not found")
        self.unit_id = unit_id


class AreaNotFoundError(IdentityError):
    """No area has this id, or one of several does not exist."""

    def __init__(self, area_id: str) -> None:
        super().__init__(f"area {area_id} not found")
        self.area_id = area_id


class UnitInUseError(IdentityError):
    """People still belong to the unit."""

    def __init__(self, unit_id: str) -> None:
        super().__init__(f"unit {unit_id} still has people")
        self.unit_id = unit_id


class AreaInUseError(IdentityError):
    """People or units are still confined to the area."""

    def __init__(self, area_id: str) -> None:
        super().__init__(f"area {area_id} is still given to people or units")
        self.area_id = area_id


class RoleNotAssignableError(IdentityError):
    """No person may be given this role by an administrator."""

    def __init__(self, role: str) -> None:
        super().__init__(f"role {role} is not given to people")
        self.role = role


class OwnAccountError(IdentityError):
    """Nobody changes the own role, areas or state: that takes a second administrator."""

    def __init__(self) -> None:
        super().__init__("the own account is changed by another administrator")


class SecondFactorOffError(IdentityError):
    """The api has no key that opens secrets of second factors, or another than made them."""

    def __init__(self) -> None:
        super().__init__("second factors are off: the key file is missing or another one")


class IdentityProofMissingError(IdentityError):
    """A lost factor is forgotten only when somebody says how the person was recognised."""

    def __init__(self) -> None:
        super().__init__("say in 10 to 200 characters how you made sure who asks")
