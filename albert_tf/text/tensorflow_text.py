"""The one place that imports tensorflow-text: late, so that everything else runs without it."""


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
