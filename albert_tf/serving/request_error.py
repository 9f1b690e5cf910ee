"""What is wrong with a request, as the server answers it."""


class RequestError(Exception):
    """An error that the client is told of.

    Args:
      status: HTTP status code.
      message: One line: the rule, what was received, the way out.
      retry_after: Seconds after which trying again makes sense, or None.
    """

    def __init__(self, status, message, retry_after=None):
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
