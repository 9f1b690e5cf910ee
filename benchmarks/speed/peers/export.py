"""Writes the SavedModels of albert_tf that are measured, with random weights.

    python export.py NAME PATH SP_MODEL

NAME is preprocessor, encoder, encoder_xxlarge, encoder_skip_padding, encoder_bfloat16,
encoder_skip_padding_bfloat16, hugging_face, or tflite_WEIGHTS_BATCHxLENGTH, such as
tflite_int8_1x27.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

import albert_tf
from albert_tf.checkpoints.writers.hugging_face import write_hugging_face

name, path, sp_model = sys.argv[1:4]
if name == "preprocessor":
    albert_tf.export_preprocessor(sp_model, path)
else:
    size = "xxlarge" if name.endswith("xxlarge") else "base"
    config = albert_tf.AlbertConfig.from_preset(f"albert_{size}_v2")
    encoder = albert_tf.AlbertEncoder.from_albert_config(config)
    if name.startswith("tflite"):
        _, weights, shape = name.split("_")
        batch_size, length = map(int, shape.split("x"))
        albert_tf.export_tflite(encoder, path, length, batch_size, weights)
    elif name == "hugging_face":
        pathlib.Path(path).mkdir()
        write_hugging_face(encoder, path, sp_model)
    else:
        albert_tf.export_encoder(
            encoder,
            path,
            sp_model=sp_model,
            skip_padding="skip_padding" in name,
            compute_dtype="bfloat16" if "bfloat16" in name else "float32",
        )
