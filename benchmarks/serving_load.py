"""Load on `albert-tf serve`: many clients, hostile requests, version changes, a killed server.

    python -m benchmarks.serving_load

Serves the embeddings of a checkpoint as a directory of versions, and compares every answer with
that of the SavedModel. Writes docs/serving_load.json and the page docs/serving_load.md, part by
part: --part=changes measures one, and keeps the others. Ends with an error if an answer is lost or
wrong, if a malformed request gets anything but a 4xx with one line, or if memory grows by more than
--most_growth_mb after the first fifth of a part.
"""

import asyncio
import contextlib
import datetime
import importlib.metadata
import json
import pathlib
import random
import shutil
import sys
import tempfile
import time

import numpy as np
from absl import app, flags

from benchmarks.load.client import Connection, Server
from benchmarks.load.malformed import asked, malformed_requests
from benchmarks.load.page import page, three
from benchmarks.speed.environments import machine

ROOT = pathlib.Path(__file__).parent.parent
PARTS = ("alone", "together", "many", "changes", "malformed", "restart")

_PART = flags.DEFINE_multi_enum("part", list(PARTS), PARTS, "What is measured; may be repeated.")
_CHECKPOINT = flags.DEFINE_string("checkpoint", "albert_tiny_en", "What is served.")
_CLIENTS = flags.DEFINE_integer("clients", 64, "Clients at a time.", 1)
_ALONE = flags.DEFINE_integer("alone", 1000, "Requests of `alone`: one client, one by one.", 1)
_REQUESTS = flags.DEFINE_integer("requests", 20_000, "Requests of `together`, of all clients.", 1)
_MANY = flags.DEFINE_integer("many", 100_000, "Requests of `many`, of all clients.", 1)
_CHANGES = flags.DEFINE_integer("changes", 50, "Version changes under load.", 1)
_MALFORMED = flags.DEFINE_integer("malformed", 1000, "Malformed requests.", 1)
_TEXTS = flags.DEFINE_integer("texts", 200, "Different texts, of 1 to --longest words.", 1)
_LONGEST = flags.DEFINE_integer("longest", 100, "Words of the longest text.", 1)
_MOST_GROWTH_MB = flags.DEFINE_float("most_growth_mb", 50, "See above.")
_OUTPUT = flags.DEFINE_string("output", str(ROOT / "docs"), "Folder of serving_load.md.")
_REMARK = flags.DEFINE_string("remark", "", "A sentence for below the table, on disturbances.")

WORDS = "the a man woman dog house looked said and with in of old green river never three".split()
_FEW = 8  # Clients while versions change and the server ends.


def main(_):
    with tempfile.TemporaryDirectory() as directory:
        load = Load(pathlib.Path(directory, "m"))
        for part in _PART.value:
            row = asyncio.run(getattr(load, part)())
            print(f"{part}: {row}", flush=True)
            growth = row["megabytes"][-1] - three(row["megabytes"])[1]
            if growth > _MOST_GROWTH_MB.value:
                raise SystemExit(f"error: Memory must not grow. Received: {growth} MB of {part}.")
            _write(part, row)


def _write(part, row):
    """Puts a part beside those that the file has."""
    output = pathlib.Path(_OUTPUT.value)
    file = output / "serving_load.json"
    parts = json.loads(file.read_text())["parts"] if file.exists() else {}
    parts[part] = row
    kept = [x for x in sys.argv[1:] if not x.startswith(("--part", "--output", "--remark"))]
    result = {
        "model": _CHECKPOINT.value,
        "longest": _LONGEST.value,
        "parts": {name: parts[name] for name in PARTS if name in parts},
        "command": " ".join(["python -m benchmarks.serving_load", *kept]),
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": {
            name: importlib.metadata.version(name)
            for name in ("fastapi", "tensorflow", "tensorflow-text", "uvicorn")
        },
        "remark": _REMARK.value,
    }
    file.write_text(json.dumps(result, indent=1) + "\n")
    (output / "serving_load.md").write_text(page(result))


class Load:
    """The parts, each with a server of its own.

    Args:
      base: Directory of versions, which is made.
    """

    def __init__(self, base):
        import tensorflow as tf

        import albert_tf
        from albert_tf.checkpoints.read import read
        from albert_tf.checkpoints.vocabulary_file import require_vocabulary

        checkpoint = read(_CHECKPOINT.value)
        encoder = albert_tf.AlbertEncoder.from_checkpoint(checkpoint)
        albert_tf.export_embedder(encoder, base / "1", require_vocabulary(checkpoint.path))
        rng = random.Random(0)
        lengths = [round(_LONGEST.value ** rng.random()) for _ in range(_TEXTS.value)]
        texts = [" ".join(rng.choices(WORDS, k=length)) for length in lengths]
        serve = tf.saved_model.load(str(base / "1")).signatures["serving_default"]
        self._base = base
        self._vectors = [serve(text=tf.constant([t]))["embedding"].numpy()[0] for t in texts]
        self._requests = [asked({"instances": [text]}) for text in texts]

    async def alone(self):
        return await self._load(1, _ALONE.value)

    async def together(self):
        return await self._load(_CLIENTS.value, _REQUESTS.value)

    async def many(self):
        return await self._load(_CLIENTS.value, _MANY.value)

    async def _load(self, clients, count):
        with Server(self._base) as server:
            megabytes = [server.megabytes()]
            await self._ask(server, _FEW, len(self._requests))  # Warm.
            times, seconds = [], 0.0
            for _ in range(10):
                more, took = await self._ask(server, clients, count // 10)
                times, seconds = times + more, seconds + took
                megabytes.append(server.megabytes())
        return _row(clients, times, seconds, megabytes)

    async def _ask(self, server, clients, count, until=None):
        """Seconds of each request, and of all; every answer is checked.

        With `until`, an event that ends it, clients pause between two requests.
        """
        times, numbers = [], iter(range(count))

        async def client():
            async with Connection(server.port) as connection:
                for number in numbers:
                    if until is not None:
                        await asyncio.sleep(0.02)
                        if until.is_set():
                            return
                    start = time.perf_counter()
                    answer = await connection.ask(self._requests[number % len(self._requests)])
                    times.append(time.perf_counter() - start)
                    self._check(number, answer)

        start = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        assert until is not None or len(times) == count, "an answer is lost"
        return times, time.perf_counter() - start

    def _check(self, number, answer):
        status, body = answer
        found = json.loads(body)
        assert status == 200, found
        vector = self._vectors[number % len(self._vectors)]
        np.testing.assert_allclose(found["predictions"][0], vector, atol=1e-4)

    async def changes(self):
        """Copies the newest version to the next number, again and again, under load."""
        base, until = self._base, asyncio.Event()
        with Server(base) as server:
            megabytes = [server.megabytes()]
            asking = asyncio.create_task(self._ask(server, _FEW, 10**9, until))
            first = max(int(path.name) for path in base.iterdir())
            for version in range(first + 1, first + 1 + _CHANGES.value):
                # As one would: under another name first, for a version must come whole.
                new = base / f"new-{version}"
                await asyncio.to_thread(shutil.copytree, base / str(version - 1), new)
                new.rename(base / str(version))
                shutil.rmtree(base / str(version - 1))
                start = time.perf_counter()
                while await server.version() != str(version):
                    assert not asking.done(), asking.exception()
                    assert time.perf_counter() - start < 120, "the version was not taken"
                    await asyncio.sleep(0.05)
                megabytes.append(server.megabytes())
            until.set()
            times, seconds = await asking
        return _row(_FEW, times, seconds, megabytes) | {"changes": _CHANGES.value}

    async def malformed(self):
        """Requests that are wrong in some way each get a 4xx with one line."""
        codes = {}
        with Server(self._base) as server:
            await self._ask(server, _FEW, len(self._requests))
            megabytes = [server.megabytes()]
            for wrong, perhaps_good in malformed_requests(_MALFORMED.value):
                async with Connection(server.port) as connection:
                    status, body = await asyncio.wait_for(connection.ask(wrong), 60)
                if status != 200 or not perhaps_good:
                    with contextlib.suppress(ValueError):
                        body = json.loads(body)["error"].encode()
                    told = body.decode()
                    assert 400 <= status < 500, (status, told, wrong[:300])
                    assert told and "\n" not in told, (status, told, wrong[:300])
                codes[str(status)] = codes.get(str(status), 0) + 1
            await self._ask(server, _FEW, len(self._requests))  # It lives, and answers rightly.
            megabytes.append(server.megabytes())
        return {"requests": _MALFORMED.value, "codes": codes, "megabytes": megabytes}

    async def restart(self):
        """A kill loses what was under way, and nothing later; SIGTERM loses nothing."""
        with Server(self._base) as server:
            asking = asyncio.create_task(self._until_the_end(server.port, killed=True))
            await asyncio.sleep(1)
            server.kill()
            await asking
        with Server(self._base) as server:
            megabytes = [server.megabytes()]
            times, _ = await self._ask(server, _FEW, len(self._requests))
            megabytes.append(server.megabytes())
            asking = asyncio.create_task(self._until_the_end(server.port))
            await asyncio.sleep(1)
            code = await asyncio.to_thread(server.stop)
            assert code == 0, f"exit status {code}"
            return {
                "requests": len(times),
                "clients": _FEW,
                "before_the_end": await asking,
                "code": code,
                "megabytes": megabytes,
            }

    async def _until_the_end(self, port, killed=False):
        """Asks until there is no server; an answer that was begun is whole, unless it is killed."""
        count = 0

        async def client():
            nonlocal count
            for number in range(10**9):
                try:
                    async with Connection(port) as connection:
                        answer = await connection.ask(self._requests[number % len(self._requests)])
                except ConnectionError:
                    return
                except asyncio.IncompleteReadError as error:
                    assert killed or not error.partial, "half an answer"
                    return
                self._check(number, answer)
                count += 1

        await asyncio.gather(*(client() for _ in range(_FEW)))
        return count


def _row(clients, times, seconds, megabytes):
    p50, p99 = 1000 * np.percentile(times, [50, 99])
    return {
        "clients": clients,
        "requests": len(times),
        "seconds": round(seconds, 2),
        "p50": round(float(p50), 2),
        "p99": round(float(p99), 2),
        "megabytes": megabytes,
    }


if __name__ == "__main__":
    app.run(main)
