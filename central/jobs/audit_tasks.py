# SPDX-License-Identifier: AGPL-3.0-or-later
"""Jobs of the audit log: its chain is made all the time and proved every night."""

import asyncio
from typing import Final

import structlog

from central.audit.chain import SEAL_BATCH_MAX
from central.audit.roots import file_of
from central.audit.service import AuditService
from central.audit.types import Actor
from central.documents.signing import house_key, signing_key
from central.jobs.context import JobContext

ROUNDS_MAX: Final = 50
"""Most batches of one run: the rest waits for the next one."""

log = structlog.get_logger()


async def seal_audit(context: JobContext) -> int:
    """Append what was committed to the chain; returns how many entries.

    The end of the chain is logged: kept elsewhere, the log shows if the end was cut off.
    """
    sealed = 0
    for _ in range(ROUNDS_MAX):
        async with context.transaction() as connection:
            batch = await AuditService(connection).seal(now=context.now())
        sealed += batch
        if batch < SEAL_BATCH_MAX:
            break
    if sealed:
        async with context.transaction() as connection:
            head = await AuditService(connection).head()
        log.info("audit_sealed", entries=sealed, position=head.position, hash=head.hash.hex())
    return sealed


async def note_audit_roots(context: JobContext) -> int:
    """Note and sign where the chain stood at the end of each day; returns how many days.

    With a folder in the settings, each goes into a file of its own there, too: the folder is what
    the house copies elsewhere.
    """
    settings = context.settings
    key = signing_key(settings.documents)
    signer = await asyncio.to_thread(house_key, key) if key is not None else None
    async with context.transaction() as connection:
        made = await AuditService(connection).make_roots(now=context.now(), signer=signer)
    folder = settings.jobs.audit_roots_folder
    for root in made:
        log.info("audit_root_made", day=str(root.day), position=root.position, hash=root.hash.hex())
        if folder is not None:
            file = folder / f"audit-root-{root.day}.jsonl"
            await asyncio.to_thread(file.write_bytes, file_of([root]))
    return len(made)


async def verify_audit(context: JobContext) -> int:
    """Prove the whole chain; returns how many problems were found."""
    async with context.transaction() as connection:
        proof = await AuditService(connection).verify(
            actor=Actor.service("verify_audit"), now=context.now()
        )
    if not proof.is_whole:
        log.error("audit_chain_broken", problems=proof.problem_count)
    return proof.problem_count
