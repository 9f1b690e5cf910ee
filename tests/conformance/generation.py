"""One generation of load, run, save, in a process of its own: see test_generations.py.

python generation.py SOURCE TARGET RESULT.npz
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401

SENTENCES = ["the quick brown fox", "Über façade 1,000 naïve", ""]


def run(encoder, preprocessor, both):
    sentences = tf.constant(SENTENCES)
    ids = preprocessor(sentences)
    positions = tf.zeros([len(SENTENCES), 1], tf.int32)
    return {
        "ids": ids["input_word_ids"],
        "tokens": preprocessor.tokenize(sentences).flat_values,
        "pooled": encoder(ids)["pooled_output"],
        "trained": encoder(ids, training=True)["pooled_output"],
        "mlm": encoder.mlm({**ids, "masked_lm_positions": positions})["mlm_logits"],
        "sop": encoder.sop(ids)["sop_logits"],
        "both": both.__call__(sentences),
    }


def main(source, target, result):
    source, target = pathlib.Path(source), pathlib.Path(target)
    encoder = tf.saved_model.load(str(source / "encoder"))
    preprocessor = tf.saved_model.load(str(source / "preprocessor"))
    if (source / "both").exists():
        both = tf.saved_model.load(str(source / "both"))
    else:
        both = tf.train.Checkpoint(preprocessor=preprocessor, encoder=encoder)
        both.__call__ = tf.function(
            lambda text: encoder(preprocessor(text))["pooled_output"],
            input_signature=[tf.TensorSpec([None], tf.string)],
        )
    outputs = run(encoder, preprocessor, both)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder(preprocessor(tf.constant(SENTENCES)))["default"] ** 2)
    gradients = tape.gradient(loss, list(encoder.trainable_variables))
    assert len(gradients) == 25 and all(g is not None for g in gradients)
    for name, loaded in (("encoder", encoder), ("preprocessor", preprocessor), ("both", both)):
        tf.saved_model.save(loaded, str(target / name))
    assets = [encoder.sp_model_file, preprocessor.sp_model_file]
    assert all(tf.io.gfile.exists(asset.asset_path.numpy()) for asset in assets)
    np.savez(result, **{name: np.array(value) for name, value in outputs.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
