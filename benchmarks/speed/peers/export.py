"""Writes the SavedModels of albert_tf that are measured, with random weights.

    python export.py encoder|encoder_skip_padding|encoder_bfloat16|encoder_xxlarge|preprocessor \
        PATH SP_MODEL
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

import albert_tf

name, path, sp_model = sys.argv[1:4]
if name == "preprocessor":
    albert_tf.export_preprocessor(sp_model, path)
else:
    size = "xxlarge" if name.endswith("xxlarge") else "base"
    config = albert_tf.AlbertConfig.from_preset(f"albert_{size}_v2")
    encoder = albert_tf.AlbertEncoder.from_albert_config(config)
    options = {}
    if name == "encoder_skip_padding":
        options["skip_padding"] = True
    if name == "encoder_bfloat16":
        options["compute_dtype"] = "bfloat16"
    albert_tf.export_encoder(encoder, path, sp_model=sp_model, **options)
