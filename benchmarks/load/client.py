"""The server under test, and a connection to it."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys

import psutil


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

    async def ask(self, request):
        """(status, body) of the answer to the bytes of a request."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        if "content-length" in headers:
            body = await self.reader.readexactly(int(headers["content-length"]))
        else:
            body = await self.reader.read()
        return int(head[0].split()[1]), body


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

    async def version(self):
        """The version that is served."""
        async with Connection(self.port) as connection:
            head = b"GET /v1/models/m/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n"
            _, body = await connection.ask(head)
        return json.loads(body)["model_spec"]["version"]

    def megabytes(self):
        return round(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self):
        self.process.kill()
        self.process.wait()
