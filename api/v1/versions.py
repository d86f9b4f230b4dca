# SPDX-License-Identifier: AGPL-3.0-or-later
"""``ETag``, ``If-Match`` and ``If-None-Match``: callers say which version of something they saw."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

from fastapi import Depends, Header, Request

from api.deps.request import SignedIn
from api.errors import PreconditionFailedError, PreconditionNeededError
from central.errors import StaleVersionError

TAG_LENGTH_MAX: Final = 40
_TAG: Final = re.compile(r'"([0-9]{1,9})"')


def tag_of(version: int) -> str:
    """The ``ETag`` of a version."""
    return f'"{version}"'


async def version_of(
    _user: SignedIn,
    if_match: Annotated[
        str | None,
        Header(
            max_length=TAG_LENGTH_MAX,
            description="The `ETag` of the version that you saw; needed. Another version is "
            "refused with 412.",
        ),
    ] = None,
) -> int:
    """The version that the caller saw.

    Raises:
        NotSignedInError: Nobody is signed in, which is told before anything else.
        PreconditionNeededError: The header is missing.
        PreconditionFailedError: It holds no tag of ours, so it can't be the present one.
    """
    if if_match is None:
        raise PreconditionNeededError
    tag = _TAG.fullmatch(if_match.strip())
    if tag is None:
        raise PreconditionFailedError
    return int(tag[1])


SeenVersion = Annotated[int, Depends(version_of)]


async def tags_kept(request: Request) -> frozenset[str]:
    """The tags of what the caller has already; a proxy may have made them weak."""
    kept = ",".join(request.headers.getlist("if-none-match"))
    return frozenset(tag.strip().removeprefix("W/") for tag in kept.split(","))


TagsKept = Annotated[frozenset[str], Depends(tags_kept)]


@contextmanager
def held_to_version() -> Iterator[None]:
    """Tell a stale version the way HTTP does.

    Raises:
        PreconditionFailedError: Somebody changed it meanwhile.
    """
    try:
        yield
    except StaleVersionError as error:
        raise PreconditionFailedError from error
