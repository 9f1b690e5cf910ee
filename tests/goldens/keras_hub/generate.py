"""Records KerasHub's own outputs on a small random ALBERT preset, in its own file format.

Run it in an environment of its own (pip install keras-hub tensorflow-cpu tensorflow-text), in this
folder: python generate.py. Recorded with keras-hub 0.32.0, Keras 3.15.1, TensorFlow 2.20.0.
"""

import os
import pathlib
import shutil

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras_hub  # noqa: E402
import numpy as np  # noqa: E402

FOLDER = pathlib.Path(__file__).parent
LENGTH = 16


def random_weights(model, rng):
    for weight in model.weights:
        if "seed" in weight.name:
            continue
        values = rng.normal(0, 0.3, weight.shape)
        weight.assign(values + 1 if weight.name == "gamma" else values)


def inputs(rng):
    token_ids = rng.integers(0, 60, (4, LENGTH))
    padding_mask = np.arange(LENGTH) < np.array([[LENGTH], [9], [5], [1]])
    padding_mask[1, 3] = False
    return {
        "token_ids": token_ids.astype("int32"),
        "segment_ids": rng.integers(0, 3, (4, LENGTH)).astype("int32"),
        "padding_mask": padding_mask.astype("int32"),
    }


def main():
    backbone = keras_hub.models.AlbertBackbone(
        vocabulary_size=60,
        num_layers=4,
        num_heads=3,
        embedding_dim=8,
        hidden_dim=12,
        intermediate_dim=20,
        num_groups=2,
        num_inner_repetitions=2,
        dropout=0.1,
        max_sequence_length=LENGTH,
        num_segments=3,
    )
    rng = np.random.default_rng(7)
    random_weights(backbone, rng)
    features = inputs(rng)
    outputs = {name: np.array(value) for name, value in backbone(features).items()}

    masked_lm = keras_hub.models.AlbertMaskedLM(backbone)
    head = [w for w in masked_lm.weights if not any(w is other for other in backbone.weights)]
    for weight in head:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    positions = np.array([[0, 5], [1, 2], [4, 0], [0, 0]], "int32")
    logits = masked_lm({**features, "mask_positions": positions})

    # A task's preset is its backbone's, with task.json and task.weights.h5 beside.
    shutil.rmtree(FOLDER / "preset", ignore_errors=True)
    masked_lm.save_to_preset(FOLDER / "preset")
    np.savez_compressed(
        FOLDER / "outputs.npz",
        **features,
        mask_positions=positions,
        masked_lm_logits=np.array(logits),
        **outputs,
    )


if __name__ == "__main__":
    main()
