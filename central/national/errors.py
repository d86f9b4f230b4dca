# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong between a province and a national centre.

::

    CentralError
    └── NationalError
        ├── ProvinceNotYoursError    the program is bound to another province, or to none
        ├── ProvinceNotFoundError
        ├── ProvinceExistsError      the province, or the program's binding, is there already
        └── SheetInvalidError        a sheet of the future, or with rows that do not fit
"""

from central.errors import CentralError


class NationalError(CentralError):
    """Something about figures of provinces."""


class ProvinceNotYoursError(NationalError):
    """A program writes for the province that it is bound to, and for no other."""

    def __init__(self) -> None:
        super().__init__("this program is not bound to this province")


class ProvinceNotFoundError(NationalError):
    """The national centre knows no such province."""

    def __init__(self) -> None:
        super().__init__("no province has this code")


class ProvinceExistsError(NationalError):
    """The province is there already, or the program is bound to one."""

    def __init__(self) -> None:
        super().__init__("the province is there already, or the program is bound to another one")


class SheetInvalidError(NationalError):
    """A sheet can't be right; ``problem`` is one word."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"this sheet can't be right: {problem}")
        self.problem = problem
