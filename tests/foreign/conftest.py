"""The small models of every task, and ids to ask with."""

from tests.prediction.conftest import model_of  # noqa: F401
