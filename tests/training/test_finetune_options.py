import pytest

from albert_tf.training.finetuning.options import FinetuneOptions
from albert_tf.training.finetuning.tasks import make_task
from tests.conftest import FIXTURES


def test_options():
    assert FinetuneOptions(precision="bfloat16").policy == "mixed_bfloat16"
    assert "seed" in FinetuneOptions().deciding()
    assert "export" not in FinetuneOptions().deciding()
    with pytest.raises(ValueError, match="must be one of float32, .*Received: 'int8'"):
        FinetuneOptions(precision="int8")
    for fraction in (0.0, 1.0, -0.1):
        with pytest.raises(ValueError, match=f"between 0 and 1, such as 0.1. Received: {fraction}"):
            FinetuneOptions(dev_fraction=fraction)
    assert FinetuneOptions(dev_fraction=0.1).deciding()["dev_fraction"] == 0.1
    with pytest.raises(ValueError, match="XLA cannot compile. Received: it, with jit_compile=True"):
        FinetuneOptions(skip_padding=True, jit_compile=True)
    with pytest.raises(ValueError, match="`accumulate_steps` must be positive. Received: 0"):
        FinetuneOptions(accumulate_steps=0)


def test_padding_is_skipped_where_it_can_be():
    glue = make_task("rte", data_dir=FIXTURES / "glue")
    files = {split: FIXTURES / "squad" / "dev-v1.1.json" for split in ("train_file", "dev_file")}
    squad = make_task("squad1.1", **files)
    assert FinetuneOptions().skips_padding(glue)
    assert not FinetuneOptions(skip_padding=False).skips_padding(glue)
    assert not FinetuneOptions(jit_compile=True).skips_padding(glue)
    assert not FinetuneOptions(strategy="tpu").skips_padding(glue)
    assert not FinetuneOptions().skips_padding(squad)
    with pytest.raises(ValueError, match="softmax is over padding, too. Received: skip_padding"):
        FinetuneOptions(skip_padding=True).skips_padding(squad)
