# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs cameras: a capturing thread for each, and few analysing threads that share them."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Event
from typing import Final

import structlog

from central.contracts.heartbeat import CameraState
from edge.app.analysis import CameraPipeline, Models, make_pipeline
from edge.app.plans import CameraPlan
from edge.app.threads import ThreadGroup
from edge.capture.loop import CaptureLoop, LoopRules
from edge.capture.mailbox import CameraEnded, Mailbox
from edge.capture.types import CaptureStatus, SourceEnd
from edge.health.heartbeat import CameraReading
from edge.stages import Frame, Passage

TAKE_TIMEOUT_S: Final = 0.5

log = structlog.get_logger(__name__)

PassageSink = Callable[[CameraPlan, Passage], None]
"""Takes every passage in the thread that made it; blocks while there is no room for it."""


@dataclass(slots=True)
class CameraRun:
    """One running camera; counters are written by its analysing thread only."""

    plan: CameraPlan
    loop: CaptureLoop
    pipeline: CameraPipeline
    analysed: int = 0
    passages: int = 0
    end: SourceEnd | None = None
    newest: tuple[Frame, float] | None = None
    """The frame looked at last, and when (monotonic, in seconds)."""

    @property
    def capture(self) -> CaptureStatus:
        """State of its capture."""
        return self.loop.status()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worker:
    """One analysing thread's share."""

    mailbox: Mailbox
    cameras: dict[str, CameraRun] = field(default_factory=dict)


class Engine:
    """All cameras of this process."""

    def __init__(
        self,
        plans: Sequence[CameraPlan],
        *,
        models: Sequence[Models],
        sink: PassageSink,
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        """Prepare; nothing is opened or started before ``start``.

        Args:
            plans: Cameras.
            models: Loaded models, one set per analysing thread; cameras are dealt out in turn.
                Without cameras none are needed.
            sink: Takes the passages.
            clock: Gives aware UTC time to frames of live cameras.
            rng: Source of jitter.
        """
        if plans and not models:
            raise ValueError("at least one set of models is needed")
        self._sink = sink
        self._workers = [_Worker(mailbox=Mailbox()) for _ in models[: max(1, len(plans))]]
        self._threads = ThreadGroup()
        for number, plan in enumerate(plans):
            worker = self._workers[number % len(self._workers)]
            loop = CaptureLoop(
                plan.opener(clock),
                mailbox=worker.mailbox,
                rules=LoopRules(
                    camera_id=plan.camera_id, pace=plan.pace, attempts_max=plan.attempts_max
                ),
                rng=rng,
            )
            pipeline = make_pipeline(plan, models[number % len(self._workers)])
            worker.cameras[plan.camera_id] = CameraRun(plan=plan, loop=loop, pipeline=pipeline)

    @property
    def cameras(self) -> tuple[CameraRun, ...]:
        """Every camera, in the order of the analysing threads."""
        return tuple(run for worker in self._workers for run in worker.cameras.values())

    @property
    def is_running(self) -> bool:
        """Whether any thread still works."""
        return self._threads.is_running

    @property
    def crash(self) -> Exception | None:
        """What killed a thread; ``None`` while all is well."""
        return self._threads.crash

    def start(self) -> None:
        """Start all threads."""
        for number, worker in enumerate(self._workers):
            self._threads.start(f"analysis-{number}", partial(self._analyse, worker))
            for run in worker.cameras.values():
                self._threads.start(f"capture-{run.plan.camera_id}", run.loop.run)

    def stop(self, *, limit_s: float) -> tuple[str, ...]:
        """Stop all threads; vehicles in view become passages. Returns threads that hang."""
        return self._threads.stop(limit_s=limit_s)

    def newest_frame(self, camera_id: str, *, max_age_s: float) -> Frame | None:
        """The frame that a camera was analysed by last, unless it is older or there is none."""
        for run in self.cameras:
            if run.plan.camera_id == camera_id and run.newest is not None:
                frame, at_s = run.newest
                return frame if time.monotonic() - at_s <= max_age_s else None
        return None

    def camera_readings(self) -> list[CameraReading]:
        """State of every camera for the heartbeat."""
        return [_reading(run) for run in self.cameras]

    def _analyse(self, worker: _Worker, stop: Event) -> None:
        open_cameras = set(worker.cameras)
        while open_cameras and not stop.is_set():
            taken = worker.mailbox.take(timeout_s=TAKE_TIMEOUT_S)
            if taken is None:
                continue
            run = worker.cameras[taken.camera_id]
            if isinstance(taken, CameraEnded):
                self._hand_over(run, run.pipeline.finish())
                if taken.end is not SourceEnd.PAUSED:
                    run.end = taken.end
                    open_cameras.discard(taken.camera_id)
                continue
            run.newest = taken, time.monotonic()
            passages = run.pipeline.process(taken)
            run.analysed += 1
            self._hand_over(run, passages)
        for camera_id in open_cameras:
            run = worker.cameras[camera_id]
            self._hand_over(run, run.pipeline.finish())

    def _hand_over(self, run: CameraRun, passages: Sequence[Passage]) -> None:
        for passage in passages:
            self._sink(run.plan, passage)
            run.passages += 1


def _reading(run: CameraRun) -> CameraReading:
    status = run.capture
    state = status.state
    if run.end is SourceEnd.BROKEN:
        state = CameraState.FAILED
    return CameraReading(
        camera_id=status.camera_id,
        state=state,
        captured=status.captured,
        analysed=run.analysed,
        dropped=status.dropped,
        last_frame_s=status.last_frame_s,
    )
