"""What is not HTTP is answered too, and the answer arrives."""

import asyncio
import json
import threading

import pytest

pytest.importorskip("uvicorn", reason="albert_tf[serve] is not installed")

import uvicorn  # noqa: E402

from albert_tf.serving.run_server import listen, server_config  # noqa: E402


async def app(scope, receive, send):
    """Reads the body and answers its length."""
    if scope["type"] != "http":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return await send({"type": "lifespan.shutdown.complete"})
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        size, more = size + len(event.get("body", b"")), event.get("more_body", False)
    headers = [(b"content-length", b"3")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": f"{size:3}".encode()})


@pytest.fixture(scope="module")
def ask():
    """Function from what is sent to all that comes back, (status, body)."""
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(server_config(app))
        thread = threading.Thread(target=server.run, args=[[listening]], daemon=True)
        thread.start()

        async def answer(sent):
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(sent)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            return int(head.split()[1]), body

        yield lambda sent: asyncio.run(asyncio.wait_for(answer(sent), 20))
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


START = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"a" * 500_000 + b"\r\n\r\n",
        START + b"Content-Length: many\r\n\r\n",
        START + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",  # The application is waiting.
    ],
    ids=["no text", "no path", "long header", "length", "chunk"],
)
def test_what_is_not_http(ask, sent):
    status, body = ask(sent)
    assert status == 400
    assert json.loads(body)["error"] == (
        "A request must be HTTP/1.1, with a line and headers of at most 64 KiB together. "
        "Received: something else."
    )
    assert ask(START + b"Content-Length: 2\r\n\r\nab") == (200, b"  2"), "the server lives"
