"""Tasks in worker processes that end with the program, however it ends."""

import multiprocessing
import multiprocessing.connection
import os
import pickle


def available_cores():
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def run_tasks(job, tasks, workers, on_progress, on_done):
    """Runs `job(task, report)` for each task, in the order of the tasks as workers become free.

    Workers are started anew ("spawn"), so programs that call this need the usual
    `if __name__ == "__main__":`; `job`, tasks and results travel by pickle. If this process dies,
    even by SIGKILL, the workers end at their next report.

    Args:
      job: Callable of a task and a function `report(value)`.
      tasks: list.
      workers: Number of processes. 1: no process is started.
      on_progress: Called with each value reported.
      on_done: Called with (task, result).

    Raises:
      Exception: What a job raises, once the other workers are stopped.
      ChildProcessError: If a worker dies.
    """
    workers = min(workers, len(tasks))
    if workers <= 1:
        for task in tasks:
            on_done(task, job(task, on_progress))
        return
    context = multiprocessing.get_context("spawn")
    waiting = list(reversed(tasks))
    processes, busy = [], {}
    try:
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(job, theirs), daemon=True)
            process.start()
            theirs.close()  # So that the death of the worker shows as the end of the pipe.
            processes.append((process, ours))
            busy[ours] = waiting.pop()
            ours.send(busy[ours])
        while busy:
            for connection in multiprocessing.connection.wait(list(busy)):
                try:
                    kind, value = connection.recv()
                except (EOFError, ConnectionResetError):
                    raise ChildProcessError(
                        "A worker process died; the system may have run out of memory. "
                        f"Received: no result for shard {busy[connection]}. Run again, with fewer "
                        "workers: what is finished is kept."
                    ) from None
                if kind == "progress":
                    on_progress(value)
                elif kind == "error":
                    raise value
                else:
                    on_done(busy.pop(connection), value)
                    if waiting:
                        busy[connection] = waiting.pop()
                        connection.send(busy[connection])
    finally:
        for process, connection in processes:
            connection.close()
            process.terminate()
        for process, _ in processes:
            process.join()


def _work(job, connection):
    try:
        while True:
            task = connection.recv()
            try:
                result = job(task, lambda value: connection.send(("progress", value)))
            except (BrokenPipeError, ConnectionResetError):
                raise
            except Exception as error:
                try:
                    connection.send(("error", error))
                except (pickle.PicklingError, TypeError, AttributeError):
                    kind = type(error).__name__
                    connection.send(("error", RuntimeError(f"{kind} in a worker: {error}")))
                return
            connection.send(("done", result))
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return  # Nobody waits for us any more.
