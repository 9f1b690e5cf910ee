"""Random damage to a file of weights ends in an error that says so, or in weights."""

import pathlib
import random

import pytest

from albert_tf.checkpoints.files.safetensors_file import open_safetensors
from albert_tf.checkpoints.files.torch_file import open_torch_file
from albert_tf.checkpoints.sources.tf_h5_file import open_tf_h5

HUGGING_FACE = pathlib.Path(__file__).parents[1] / "goldens" / "hugging_face"
# File, what opens it, how many of its first bytes are not mere numbers.
FILES = [
    ("model/model.safetensors", open_safetensors, 3500),
    ("bin/pytorch_model.bin", open_torch_file, 18_000),
    ("bin_legacy/pytorch_model.bin", open_torch_file, 18_000),
    ("model_h5/tf_model.h5", open_tf_h5, 50_000),
]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name, open_file, meaningful", FILES, ids=[file[0] for file in FILES])
def test_random_damage(tmp_path, name, open_file, meaningful):
    content = (HUGGING_FACE / name).read_bytes()
    rng = random.Random(0)
    refused = 0
    for attempt in range(150):
        damaged = bytearray(content)
        for _ in range(rng.choice([1, 3, 10])):
            damaged[rng.randrange(min(meaningful, len(content)))] = rng.randrange(256)
        damaged[-rng.randrange(1, 5000)] ^= 1 << rng.randrange(8)  # A zip's directory is there.
        if rng.random() < 0.2:
            del damaged[rng.randrange(len(content)) :]
        path = tmp_path / f"{attempt}{pathlib.Path(name).suffix}"
        path.write_bytes(damaged)
        try:
            for tensor in open_file(path).values():
                assert tensor.load().shape == tensor.spec.shape
        except (ValueError, FileNotFoundError):
            refused += 1
    assert refused > 20
