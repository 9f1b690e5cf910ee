"""Load on `albert-tf serve`: many clients, hostile requests, version changes, a killed server.

    python -m benchmarks.serving_load --requests=20000 --changes=50

Serves the embeddings of a checkpoint as a directory of versions, and compares every answer with
that of the SavedModel. Prints a table; ends with an error if an answer is lost or wrong, if a
malformed request gets anything but a 4xx with one line, or if memory grows by more than
--most_growth_mb after the first --changes / 5 version changes.
"""

import asyncio
import contextlib
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import psutil
from absl import app, flags

_CHECKPOINT = flags.DEFINE_string("checkpoint", "albert_tiny_en", "What is served.")
_CLIENTS = flags.DEFINE_integer("clients", 64, "Clients at a time.", 1)
_REQUESTS = flags.DEFINE_integer("requests", 20_000, "Requests of all clients together.", 1)
_ALONE = flags.DEFINE_integer("alone", 1000, "Requests of one client, one after the other.", 1)
_HOSTILE = flags.DEFINE_integer("hostile", 1000, "Malformed requests.", 0)
_CHANGES = flags.DEFINE_integer("changes", 50, "Version changes under load.", 0)
_TEXTS = flags.DEFINE_integer("texts", 200, "Different texts, of 1 to --longest words.", 1)
_LONGEST = flags.DEFINE_integer("longest", 200, "Words of the longest text.", 1)
_MOST_GROWTH_MB = flags.DEFINE_float("most_growth_mb", 100, "See above.")

MODEL = "/v1/models/m:predict"
WORDS = "the a man woman dog house looked said and with in of old green river never three".split()


def main(_):
    with tempfile.TemporaryDirectory() as directory:
        base = pathlib.Path(directory, "m")
        texts, vectors = prepare(base)
        asyncio.run(measure(base, texts, vectors))


def prepare(base):
    """Exports version 1 and computes what is to be answered."""
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
    vectors = [serve(text=tf.constant([text]))["embedding"].numpy()[0] for text in texts]
    return texts, vectors


async def measure(base, texts, vectors):
    bodies = [json.dumps({"instances": [text]}).encode() for text in texts]

    def right(index, answer):
        status, _, body = answer
        found = json.loads(body)
        assert status == 200, found
        np.testing.assert_allclose(found["predictions"][0], vectors[index], atol=1e-4)

    async def load(server, clients, count, until=None):
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
                    index = number * 7919 % len(bodies)
                    start = time.perf_counter()
                    answer = await connection.ask("POST", MODEL, bodies[index])
                    times.append(time.perf_counter() - start)
                    right(index, answer)

        start = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        return times, time.perf_counter() - start

    with Server(base) as server:
        await load(server, 4, len(bodies))  # Warm.
        first = server.megabytes()
        for clients, count in ((1, _ALONE.value), (_CLIENTS.value, _REQUESTS.value)):
            times, seconds = await load(server, clients, count)
            assert len(times) == count
            p50, p99 = 1000 * np.percentile(times, [50, 99])
            print(
                f"{clients:>3} clients: {count} requests, {count / seconds:,.0f} requests/s, "
                f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, none lost or wrong",
                flush=True,
            )
        print(f"memory {first:.0f} MB before, {server.megabytes():.0f} MB after", flush=True)
        await hostile(server)
        if _CHANGES.value:
            await change_versions(server, base, load)
        # A kill loses what was under way, and nothing after the restart.
        server.kill()
    with Server(base) as server:
        times, _ = await load(server, 8, len(bodies))
        print(f"killed and started again: {len(times)} requests, none lost or wrong")
        done = asyncio.Event()
        asking = asyncio.create_task(answered_until_the_end(server.port, bodies, right, done))
        await asyncio.sleep(1)
        code = await asyncio.to_thread(server.stop)
        done.set()
        print(f"SIGTERM: exit status {code}, {await asking} requests, all that were taken answered")


async def answered_until_the_end(port, bodies, right, done):
    """Asks until there is no server; an answer that begins must be whole, and right."""
    count = 0

    async def client():
        nonlocal count
        for index in range(10**9):
            try:
                async with Connection(port) as connection:
                    answer = await connection.ask("POST", MODEL, bodies[index % len(bodies)])
            except (ConnectionError, EOFError):
                return
            right(index % len(bodies), answer)
            count += 1

    await asyncio.gather(*(client() for _ in range(8)))
    return count


async def hostile(server):
    """Requests that are wrong in some way each get a 4xx with one line."""
    rng = random.Random(1)
    good = json.dumps({"instances": ["a text"]}).encode()

    def mutated():
        body = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        return bytes(body)

    made = [
        lambda: ("POST", MODEL, b""),
        lambda: ("POST", MODEL, rng.randbytes(rng.randint(1, 2000))),
        lambda: ("POST", MODEL, b"[" * rng.randint(2, 200_000)),
        lambda: ("POST", MODEL, b'{"instances": ' + b"9" * rng.randint(5000, 9000) + b"}"),
        lambda: ("POST", MODEL, json.dumps({"instances": rng.choice([1, {}, [], None])}).encode()),
        lambda: ("POST", MODEL, json.dumps({"instances": [[["a"]]] * 3}).encode()),
        lambda: ("POST", MODEL, json.dumps({"instances": ["a"] * 1000}).encode()),
        lambda: ("POST", MODEL, json.dumps({"instances": ["a" * 200_000]}).encode()),
        lambda: ("POST", MODEL, b"x" * (2 << 20)),
        lambda: ("POST", MODEL, json.dumps({"inputs": {"x" * rng.randint(1, 999): 1}}).encode()),
        lambda: ("POST", MODEL, json.dumps({"instances": ["a"], "signature_name": "?"}).encode()),
        lambda: ("POST", f"/v1/models/{'m' * rng.randint(2, 3000)}:predict", good),
        lambda: ("POST", "/v1/models/m/versions/99999999999999999999:predict", good),
        lambda: ("POST", "/v1/models/m:classify", good),
        lambda: ("GET", "/v1/models/%00..%2f..%2fetc%2fpasswd", b""),
        lambda: ("BREW", "/v1/models/m", b""),
    ]
    codes = {}
    for i in range(_HOSTILE.value):
        if i % 17 == 16:
            request = "POST", MODEL, mutated()
            fine = True  # A changed letter of the text is a good request.
        else:
            request, fine = made[i % 17](), False
        async with Connection(server.port) as connection:
            status, _, body = await connection.ask(*request)
        if not (fine and status == 200):
            told = json.loads(body)["error"]
            assert 400 <= status < 500 and told and "\n" not in told, (status, told, request)
        codes[status] = codes.get(status, 0) + 1
    told = ", ".join(f"{count} x {code}" for code, count in sorted(codes.items()))
    async with Connection(server.port) as connection:
        assert (await connection.ask("GET", "/health", b""))[0] == 200
    print(f"{_HOSTILE.value} malformed requests: {told}; the server lives", flush=True)


async def change_versions(server, base, load):
    """Copies the newest version to the next number, again and again, under load."""
    until = asyncio.Event()
    asking = asyncio.create_task(load(server, 8, 10**9, until))
    megabytes = []
    for version in range(2, _CHANGES.value + 2):
        await asyncio.to_thread(shutil.copytree, base / str(version - 1), base / str(version))
        shutil.rmtree(base / str(version - 1))
        start = time.perf_counter()
        while True:
            async with Connection(server.port) as connection:
                _, _, body = await connection.ask("GET", "/v1/models/m/metadata", b"")
            if json.loads(body)["model_spec"]["version"] == str(version):
                break
            assert not asking.done(), asking.exception()
            assert time.perf_counter() - start < 120, "the version was not taken"
            await asyncio.sleep(0.05)
        megabytes.append(server.megabytes())
    until.set()
    times, seconds = await asking
    early = max(megabytes[: max(1, len(megabytes) // 5)])
    late = megabytes[-1]
    print(
        f"{_CHANGES.value} version changes in {seconds:.0f} s under {len(times)} requests, none "
        f"lost or wrong; memory {early:.0f} MB after the first fifth, {late:.0f} MB at the end; "
        f"p99 {1000 * np.percentile(times, 99):.0f} ms",
        flush=True,
    )
    assert late - early < _MOST_GROWTH_MB.value, "memory grows"


class Connection:
    """HTTP/1.1 with keep-alive; the clients' share of the work is small."""

    def __init__(self, port):
        self.port = port

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def ask(self, method, path, body):
        """(status, headers, body) of an answer."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body


class Server:
    """`albert-tf serve` in a process of its own."""

    def __init__(self, base):
        command = [sys.executable, "-m", "albert_tf", "serve", f"m={base}", "--port=0"]
        self.process = subprocess.Popen(
            [*command, "--poll_s=0.1"], stdout=subprocess.PIPE, text=True
        )
        for line in self.process.stdout:
            if line.startswith("Serving at "):
                self.port = int(line.split(":")[2].split("/")[0])
                break
        else:
            raise SystemExit("error: The server did not start.")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def megabytes(self):
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self):
        self.process.kill()
        self.process.wait()


if __name__ == "__main__":
    app.run(main)
