"""SavedModels of every task, each made when a test first asks for it."""

import pytest

# TensorFlow is imported late: `python -m tests` starts by reading this file.


@pytest.fixture(scope="session")
def model_of(made_once, sp_model):
    """Function from a kind, a key of `models.INPUTS`, to the path of its SavedModel. Read only."""
    from albert_tf.saved_model import tasks
    from tests.prediction.models import export

    def make(kind, path):
        with pytest.MonkeyPatch.context() as patch:  # What other tests are about takes long.
            patch.setattr(tasks, "check_task", lambda loaded: [])
            patch.setattr(tasks, "_same_answers", lambda *args: [])
            patch.setattr(tasks, "_forms", lambda export: [])
            export(kind, path, sp_model)

    def path_of(kind):
        return made_once(f"predict_{kind}", lambda path: make(kind, path))

    return path_of
