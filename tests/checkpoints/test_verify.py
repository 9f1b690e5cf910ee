import numpy as np
import pytest

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.read import read
from albert_tf.checkpoints.verify import verify
from albert_tf.pretrainer import AlbertPretrainer
from tests.conftest import GOLDENS

TINY = GOLDENS / "tiny"


@pytest.fixture
def model():
    return AlbertPretrainer.from_checkpoint(TINY)


def test_recorded_outputs(model):
    comparisons = verify(model, read(TINY), TINY / "golden.npz")
    names = ["pooled_output", "sequence_output", "mlm_log_probs", "sop_log_probs"]
    assert [comparison.output for comparison in comparisons] == names
    assert all(comparison.ok for comparison in comparisons)


def test_a_difference_shows(model):
    bias = tf_variable(model.weights_by_name()["pooler_transform/bias"])
    bias.assign(bias + 1e-3)
    comparisons = {c.output: c for c in verify(model, read(TINY), TINY / "golden.npz")}
    assert not comparisons["pooled_output"].ok and not comparisons["sop_log_probs"].ok
    assert comparisons["sequence_output"].ok
    bias.assign(bias * np.nan)
    comparisons = {c.output: c for c in verify(model, read(TINY), TINY / "golden.npz")}
    assert not comparisons["pooled_output"].ok


def test_own_runtime(model, exported_encoder):
    comparisons = verify(model, read(exported_encoder))
    names = ["pooled_output", "sequence_output", "mlm_logits", "sop_logits"]
    assert [comparison.output for comparison in comparisons] == names
    assert all(comparison.ok for comparison in comparisons)


def test_other_libraries_names(tmp_path, model):
    golden = np.load(TINY / "golden.npz")
    path = tmp_path / "x.npz"
    features = {
        "token_ids": golden["input_ids"],
        "padding_mask": golden["input_mask"],
        "token_type_ids": golden["segment_ids"],
    }
    np.savez(path, **features, pooled_output=golden["pooled_output"])
    (comparison,) = verify(model, read(TINY), path)
    assert comparison.ok
    np.savez(path, **features, pooled_output=golden["pooled_output"][:, :3])
    with pytest.raises(ValueError, match=r"same shape. Received: pooled_output of \[8, 3\]"):
        verify(model, read(TINY), path)
    np.savez(path, **features)
    with pytest.raises(ValueError, match="at least one of the outputs pooled_output.*: none"):
        verify(model, read(TINY), path)
    np.savez(path, pooled_output=golden["pooled_output"])
    with pytest.raises(
        ValueError, match="the encoder's inputs. Received: .* without input_word_ids"
    ):
        verify(model, read(TINY), path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="must be an .npz file. Received: "):
        verify(model, read(TINY), path)


def test_nothing_to_compare_with(model):
    with pytest.raises(ValueError, match="needs recorded outputs.* Received: .*tiny.*--verify_ag"):
        verify(model, read(TINY))


@pytest.mark.parametrize(
    "path",
    ["golden/tf1_hub_module", "hub_reference/albert_en_v1", "hub_reference/albert_en_v3"],
)
def test_published_formats(shared, path):
    model = AlbertPretrainer.from_checkpoint(shared / path)
    comparisons = verify(model, read(shared / path))
    assert len(comparisons) >= 2
    assert all(comparison.ok for comparison in comparisons)
