# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether this process runs and reaches its database; for supervisors and load balancers."""

from fastapi import APIRouter, Response

from api.deps.request import ProcessDep
from api.deps.transactions import transaction
from api.v1.schemas import HealthBody
from central.errors import CentralUnavailableError

router = APIRouter(tags=["health"])


@router.get(
    "/v1/health",
    response_model_exclude_none=True,
    responses={503: {"description": "The database can't be reached", "model": HealthBody}},
)
async def health(process: ProcessDep, response: Response) -> HealthBody:
    """Answer 200 when everything that this process needs is there, otherwise 503."""
    try:
        async with transaction(process) as primary:  # the pool tries it before lending it
            replica = process.replica
            return HealthBody(
                status="ok", replica=await replica.look(primary) if replica is not None else None
            )
    except CentralUnavailableError:
        response.status_code = 503
        return HealthBody(status="database-unavailable")
