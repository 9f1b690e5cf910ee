"""A thread that computes requests, those that come at about the same time together."""

import collections
import concurrent.futures
import dataclasses
import threading
import time

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class _Request:
    signature: object
    inputs: dict
    rows: int
    characters: int
    arrived: float
    deadline: float
    future: concurrent.futures.Future


class Batcher:
    """Computes what is submitted, in order of arrival, batched.

    A request waits at most `timeout_s` for others, unless an earlier batch is being computed. Does
    not bound how many wait: who submits does.

    Args:
      max_batch_size: Most rows of several requests together; one request may have more.
      timeout_s: Seconds that the first request of a batch waits for others.
      max_characters: Most characters of several requests together.
      observe: Function that is told the number of rows of each batch.
    """

    def __init__(self, max_batch_size, timeout_s, max_characters, observe=lambda rows: None):
        self._max_batch_size = max_batch_size
        self._timeout_s = timeout_s
        self._max_characters = max_characters
        self._observe = observe
        self._groups = {}  # Key -> deque of requests, none of them empty.
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()

    def submit(self, signature, inputs, deadline):
        """Has a request computed.

        Args:
          signature: `Signature`.
          inputs: {name: array}.
          deadline: `time.monotonic()` after which nobody waits for it.

        Returns:
          concurrent.futures.Future of {name: array}.
        """
        arrays = list(inputs.values())
        request = _Request(
            signature,
            inputs,
            len(arrays[0]) if signature.batches else 1,
            characters(inputs),
            time.monotonic(),
            deadline,
            concurrent.futures.Future(),
        )
        key = id(signature), signature.group(inputs)
        with self._changed:
            if self._closed:
                raise RuntimeError("The batcher is closed.")
            self._groups.setdefault(key, collections.deque()).append(request)
            self._changed.notify()
        return request.future

    def close(self):
        """Computes what has been submitted, and ends."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self):
        while batch := self._next():
            self._compute(batch)
            del batch  # It would keep an unloaded model while there is nothing to do.

    def _next(self):
        """The next batch, waited for; [] at the end."""
        with self._changed:
            while not self._groups and not self._closed:
                self._changed.wait()
            if not self._groups:
                return []
            key = min(self._groups, key=lambda key: self._groups[key][0].arrived)
            group = self._groups[key]
            until = group[0].arrived + self._timeout_s
            while not self._closed and sum(r.rows for r in group) < self._max_batch_size:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            batch = [group.popleft()]
            rows, length = batch[0].rows, batch[0].characters
            while (
                group
                and rows + group[0].rows <= self._max_batch_size
                and length + group[0].characters <= self._max_characters
            ):
                batch.append(group.popleft())
                rows, length = rows + batch[-1].rows, length + batch[-1].characters
            if not group:
                del self._groups[key]
            return batch

    def _compute(self, batch):
        now = time.monotonic()
        waiting = []
        for request in batch:
            if request.deadline < now:
                request.future.cancel()
            elif request.future.set_running_or_notify_cancel():
                waiting.append(request)
        if not waiting:
            return
        self._observe(sum(request.rows for request in waiting))
        try:
            answers = waiting[0].signature.together([request.inputs for request in waiting])
        except Exception as error:
            if len(waiting) == 1 or not isinstance(error, tf.errors.OpError):
                for request in waiting:
                    request.future.set_exception(error)
                return
            # Only one of them may be at fault.
            for request in waiting:
                try:
                    request.future.set_result(request.signature(request.inputs))
                except Exception as error:
                    request.future.set_exception(error)
            return
        for request, answer in zip(waiting, answers):
            request.future.set_result(answer)


def characters(inputs):
    """How many bytes of text a request holds, int."""
    return sum(
        sum(map(len, array.ravel().tolist())) for array in inputs.values() if array.dtype == object
    )
