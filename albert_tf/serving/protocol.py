"""HTTP/1.1, with an answer also to those who speak something else."""

import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_HEADER_BYTES = 1 << 16
_PATIENCE_S = 2


class Protocol(H11Protocol):
    """uvicorn's, but what is not HTTP gets an error in the form of all errors, and hears it.

    A connection that is closed with something unread is reset, and the answer lost: what still
    comes is dropped, for a moment, and then the connection is closed.
    """

    _refused = False

    def data_received(self, data):
        if not self._refused:
            super().data_received(data)

    def send_400_response(self, msg):
        """Called by uvicorn, with a message that says less."""
        self._refused = True
        if self.cycle is not None:  # The application has nobody to answer any more.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            told = (
                "A request must be HTTP/1.1, with a line and headers of at most "
                f"{MOST_HEADER_BYTES >> 10} KiB together. Received: something else."
            )
            body = json.dumps({"error": told}).encode()
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_PATIENCE_S, self.transport.close)
