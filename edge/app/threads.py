# SPDX-License-Identifier: AGPL-3.0-or-later
"""Named threads with one owner: started together, stopped together, and none dies unnoticed."""

import time
from collections.abc import Callable
from threading import Event, Lock, Thread

import structlog

log = structlog.get_logger(__name__)


class ThreadGroup:
    """Threads that share one signal to stop.

    A thread that ends with an error of ours or a bug stops the whole group: a device that is half
    alive is worse than one that its supervisor starts again.
    """

    def __init__(self) -> None:
        self.stop_signal = Event()
        self._threads: list[Thread] = []
        self._wakers: list[Callable[[], None]] = []
        self._lock = Lock()
        self._crash: Exception | None = None

    @property
    def crash(self) -> Exception | None:
        """What ended a thread; ``None`` while all is well."""
        with self._lock:
            return self._crash

    @property
    def is_running(self) -> bool:
        """Whether any thread lives."""
        return any(thread.is_alive() for thread in self._threads)

    def start(
        self, name: str, run: Callable[[Event], None], *, wake: Callable[[], None] | None = None
    ) -> None:
        """Start a thread.

        Args:
            name: Name in logs and tools.
            run: Works until the signal that it gets is set.
            wake: Called after the signal was set, for a thread that waits on something else.
        """
        thread = Thread(target=self._guarded, args=(name, run), name=name, daemon=True)
        self._threads.append(thread)
        if wake is not None:
            self._wakers.append(wake)
        thread.start()

    def signal_stop(self) -> None:
        """Tell all threads to end, without waiting."""
        self.stop_signal.set()
        for wake in self._wakers:
            wake()

    def stop(self, *, limit_s: float) -> tuple[str, ...]:
        """Tell all threads to end and wait for them.

        Args:
            limit_s: Longest wait for all of them together.

        Returns:
            Names of threads that did not end in time.
        """
        self.signal_stop()
        deadline_s = time.monotonic() + limit_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        late = tuple(thread.name for thread in self._threads if thread.is_alive())
        if late:
            log.error("threads_did_not_stop", threads=late)
        return late

    def _guarded(self, name: str, run: Callable[[Event], None]) -> None:
        try:
            run(self.stop_signal)
        except Exception as error:
            log.exception("thread_died", thread=name)
            with self._lock:
                self._crash = self._crash or error
            self.stop_signal.set()
