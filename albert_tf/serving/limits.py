"""What a server takes on."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bounds that keep a server's memory and waiting times bounded.

    Attributes:
      max_queue: Requests that are taken and not yet answered; more are answered 503.
      max_body_bytes: Bytes of a request.
      max_texts: Rows of a request.
      max_characters: Characters of all texts of a request, and of those computed together.
      max_batch_size: Rows of several requests that are computed together.
      batch_timeout_s: Seconds that a request waits for others to be computed with.
      timeout_s: Seconds in which a request is answered; after them it is answered 504.
      poll_s: Seconds between two looks for new versions.
    """

    max_queue: int = 256
    max_body_bytes: int = 1 << 20
    max_texts: int = 128
    max_characters: int = 100_000
    max_batch_size: int = 32
    batch_timeout_s: float = 0.002
    timeout_s: float = 30.0
    poll_s: float = 1.0
