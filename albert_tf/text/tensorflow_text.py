"""The one place that imports tensorflow-text: late, so that everything else runs without it."""

import hashlib
import sys


def import_tensorflow_text():
    """Imports tensorflow-text, which registers its custom ops, and returns the module.

    Exported preprocessors contain these ops: a program that only loads one must have run this
    function, or `import tensorflow_text`, before; otherwise TensorFlow reports "Op type not
    registered 'SentencepieceOp'". Encoders need none of it.

    Raises:
      ImportError: If the package is missing or was built for another TensorFlow.
    """
    import tensorflow as tf

    try:
        import tensorflow_text
    except (ImportError, tf.errors.NotFoundError) as error:
        minor = ".".join(tf.__version__.split(".")[:2])
        raise ImportError(
            "Text in the graph needs the package tensorflow-text in the minor version of "
            f"TensorFlow. Received: TensorFlow {tf.__version__}, and from the import: {error}. "
            f"Install it with `pip install tensorflow-text~={minor}.0`; encoders, checkpoints and "
            "`albert_tf.text.reference` work without it."
        ) from error
    return tensorflow_text


def sentencepiece_tokenizer(proto):
    """A `tensorflow_text.SentencepieceTokenizer` of ids that outlives `set_random_seed`.

    tensorflow-text's own model belongs to a cached kernel, and setting a seed empties that cache:
    from then on the tokenizer, and every function that has captured it, would fail with "Resource
    not found". A model with a name stays; equal ones share it.

    Args:
      proto: Content of a SentencePiece model file, bytes.
    """
    import tensorflow as tf

    tokenizer = import_tensorflow_text().SentencepieceTokenizer(proto, out_type=tf.int32)
    operations = sys.modules[type(tokenizer).__module__].gen_sentencepiece_tokenizer
    name = f"albert_tf_{hashlib.sha256(proto).hexdigest()[:32]}"
    resource = tokenizer._model_resource
    resource._create_resource = lambda: operations.sentencepiece_op(proto, shared_name=name)
    resource._resource_handle = None  # Made anew when it is asked for.
    assert resource.resource_handle is not None
    return tokenizer
