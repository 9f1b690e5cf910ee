"""What all exporters of task models share."""

import inspect

import pytest

from albert_tf.encoder import AlbertEncoder
from albert_tf.saved_model import tasks
from albert_tf.saved_model.arguments import ExportOptions
from albert_tf.saved_model.classifier import export_classifier
from albert_tf.saved_model.contract.tasks import check_task
from albert_tf.saved_model.embedder import export_embedder
from albert_tf.saved_model.fill_mask import export_fill_mask
from albert_tf.saved_model.multiple_choice import export_multiple_choice
from albert_tf.saved_model.span_labeler import export_span_labeler
from albert_tf.saved_model.token_classifier import export_token_classifier
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.tasks.span_labeler import AlbertSpanLabeler
from albert_tf.tasks.token_classifier import AlbertTokenClassifier
from tests.saved_model.task_exports import load, small_encoder


@pytest.fixture(scope="module")
def encoder():
    return small_encoder()


@pytest.fixture(scope="module")
def classifier(encoder):
    return AlbertClassifier(encoder, num_classes=3)


@pytest.fixture(scope="module")
def exported_classifier(classifier, sp_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("tasks") / "classifier"
    checks = export_classifier(
        classifier, path, sp_model, labels=["no", "maybe", "yes"], seq_length=24
    )
    assert len(checks) == 13 and all(check.difference is None for check in checks)
    return path


@pytest.fixture(scope="module")
def tagger(encoder):
    return AlbertTokenClassifier(encoder, num_classes=3)


def test_nothing_appears_if_the_contract_is_broken(classifier, sp_model, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "_close", lambda a, b: False)
    with pytest.raises(ValueError, match="must keep its contract. Received: signature"):
        export_classifier(classifier, tmp_path / "out", sp_model, seq_length=8)
    assert list(tmp_path.iterdir()) == []


def test_the_check_finds_what_is_wrong(exported_classifier):
    loaded, _ = load(exported_classifier)
    loaded.regularization_losses = [1.0]
    loaded.trainable_variables = loaded.variables[:-2]
    broken = {check.promise for check in check_task(loaded) if check.difference}
    assert broken >= {"regularization_losses is empty", "variables: the encoder's, then the head's"}


def test_errors(classifier, encoder, tagger, sp_model, tmp_path, exported_classifier):
    path = tmp_path / "out"
    with pytest.raises(TypeError, match="takes an AlbertClassifier. Received: AlbertEncoder"):
        export_classifier(encoder, path, sp_model)
    with pytest.raises(ValueError, match="3 different names.*Received: 2 of them"):
        export_classifier(classifier, path, sp_model, labels=["a", "b"])
    with pytest.raises(ValueError, match="3 different names.*Received: 3 of them"):
        export_classifier(classifier, path, sp_model, labels=["a", "b", "a"])
    with pytest.raises(ValueError, match="3 different names.*Received: 'abc'"):
        export_classifier(classifier, path, sp_model, labels="abc")
    with pytest.raises(ValueError, match="must be None for regression"):
        export_classifier(AlbertClassifier(encoder, 1), path, sp_model, labels=["a"])
    with pytest.raises(
        ValueError, match="must not exceed the encoder's 64 positions. Received: 128"
    ):
        export_classifier(classifier, path, sp_model)
    with pytest.raises(ValueError, match="rules must be one of 'tfhub', 'original'. Received: 'x'"):
        export_classifier(classifier, path, sp_model, rules="x", seq_length=8)
    with pytest.raises(ValueError, match="vocab_size=7. Received: .* with 1000 pieces"):
        small = AlbertEncoder(7, 4, 4, 1, 1, intermediate_size=4)
        export_classifier(AlbertClassifier(small), path, sp_model)
    with pytest.raises(ValueError, match="`units` must be one of words, pieces. Received: 'x'"):
        export_token_classifier(tagger, path, sp_model, units="x")
    with pytest.raises(ValueError, match="`max_query_length` must leave room"):
        export_span_labeler(AlbertSpanLabeler(encoder), path, sp_model, seq_length=64)
    with pytest.raises(ValueError, match="`n_best` must be a positive integer. Received: 0"):
        export_span_labeler(AlbertSpanLabeler(encoder), path, sp_model, n_best=0)
    with pytest.raises(ValueError, match="`max_qa_length` must be a positive integer"):
        export_multiple_choice(AlbertMultipleChoice(encoder), path, sp_model, max_qa_length=0)
    with pytest.raises(FileExistsError, match="must not exist yet"):
        export_classifier(classifier, exported_classifier, sp_model, seq_length=8)
    assert not path.exists()


EXPORTERS = [
    export_classifier,
    export_embedder,
    export_fill_mask,
    export_multiple_choice,
    export_span_labeler,
    export_token_classifier,
]


@pytest.mark.parametrize("export", EXPORTERS, ids=lambda export: export.__name__)
def test_help_shows_the_common_options_with_defaults(export):
    parameters = inspect.signature(export).parameters
    assert list(parameters)[1:3] == ["path", "sp_model"]
    common = {name: parameters[name] for name in ExportOptions.__annotations__}
    assert {p.kind for p in common.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert common["skip_padding"].default is True and common["compute_dtype"].default is None
    assert "options" not in parameters


def test_an_unknown_option_is_an_error(classifier, sp_model, tmp_path):
    with pytest.raises(TypeError, match="unexpected keyword argument 'seqlength'"):
        export_classifier(classifier, tmp_path / "out", sp_model, seqlength=8)
    assert not (tmp_path / "out").exists()
