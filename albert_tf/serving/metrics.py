"""What the server counts, for Prometheus."""

import prometheus_client


class Metrics:
    """Counters of one server.

    Attributes:
      requests: Counter of predictions by model and status code.
      seconds: Histogram of the time that answers took, by model.
      batch_rows: Histogram of the rows computed together.
      in_flight: Gauge of requests that have been taken and not yet answered.
      version: Gauge of the version that is served, by model.
    """

    def __init__(self):
        registry = self._registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=registry)
        kept = {"registry": registry}
        self.requests = prometheus_client.Counter(
            "albert_tf_requests", "Predictions asked for.", ["model", "code"], **kept
        )
        self.seconds = prometheus_client.Histogram(
            "albert_tf_request_seconds", "From the request to its answer.", ["model"], **kept
        )
        rows = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
        self.batch_rows = prometheus_client.Histogram(
            "albert_tf_batch_rows", "Rows computed together.", buckets=rows, **kept
        )
        self.in_flight = prometheus_client.Gauge(
            "albert_tf_requests_in_flight", "Requests taken and not yet answered.", **kept
        )
        self.version = prometheus_client.Gauge(
            "albert_tf_model_version", "The version that is served.", ["model"], **kept
        )

    def text(self):
        """All of it in Prometheus's text format, bytes."""
        return prometheus_client.generate_latest(self._registry)
