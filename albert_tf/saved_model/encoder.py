"""A live encoder out as one reusable SavedModel, by the contract."""

import tensorflow as tf

from albert_tf._keras import tf_variable
from albert_tf._types import Path
from albert_tf.atomic import refuse_existing, replacing_directory
from albert_tf.encoder import AlbertEncoder
from albert_tf.inputs import INPUT_NAMES, as_int32, unpack_inputs
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.saved_model.computation import check_computation, exported_computation
from albert_tf.saved_model.contract.check import check_or_raise
from albert_tf.saved_model.contract.checklist import Check
from albert_tf.saved_model.contract.encoder import SIGNATURE_OUTPUTS, SIGNATURES
from albert_tf.saved_model.tracing import traced_once
from albert_tf.saved_model.vocabulary_asset import attach_vocabulary
from albert_tf.task_record import recorded_rules
from albert_tf.text.given_vocabulary import given_vocabulary


def export_encoder(
    model: AlbertEncoder | AlbertPretrainer,
    path: Path,
    sp_model: Path | None = None,
    overwrite: bool = False,
    skip_padding: bool | None = None,
    compute_dtype: str | None = None,
    vocab_file: Path | None = None,
    do_lower_case: bool | None = None,
) -> list[Check]:
    """Writes a SavedModel that `hub.KerasLayer` loads and fine-tunes like the TF Hub ones.

    Includes the encoder, its heads where `model` has them (`.mlm`, `.sop`), the vocabulary that is
    given (a SentencePiece model as the asset `sp_model_file`; a WordPiece one as the asset
    `vocab_file`, with the bool variable `do_lower_case`), the configuration, and, of a checkpoint
    that tells them, the text rules of its training (`rules()`). Does not include the preprocessor
    (see `export_preprocessor`) nor Keras objects. The written SavedModel is checked against the
    contract before it appears at `path`.

    Args:
      model: An `AlbertEncoder` or an `AlbertPretrainer`, with any weights: imported, fine-tuned
        or new.
      path: Directory to write.
      sp_model: Path of the SentencePiece model that the encoder was trained with, such as
        30k-clean.model. It must have `vocab_size` pieces. The encoder does not need it: without
        `sp_model` and `vocab_file`, users must know which vocabulary it belongs to.
      overwrite: Whether to replace what is at `path`. It stays as it is until the new one is
        complete.
      skip_padding: Whether the SavedModel computes tokens only, not padding, see `AlbertEncoder`:
        `sequence_output` is zero at padding then, and XLA cannot compile it. Default: what the
        encoder does.
      compute_dtype: "float32", "bfloat16" or "float16", what blocks and pooler compute in.
        Variables and outputs are float32 in any case. Default: that of the encoder.
      vocab_file, do_lower_case: A WordPiece vocabulary instead of `sp_model`, as of `Preprocessor`.

    Returns:
      The list of `albert_tf.saved_model.contract.checklist.Check` that the SavedModel passed.

    Raises:
      FileExistsError: There is something at `path`, and not `overwrite`.
      ValueError: An argument is not as above, the vocabulary is not the encoder's, or the
        SavedModel breaks the contract.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> from albert_tf import albert_tiny_en
    >>> import tensorflow as tf
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> path = tempfile.mkdtemp() + "/encoder"
    >>> _ = albert_tf.export_encoder(encoder, path, sp_model=albert_tiny_en.SP_MODEL)
    >>> loaded = tf.saved_model.load(path)
    >>> pooled_output, sequence_output = loaded([[[2, 9, 3]], [[1, 1, 1]], [[0, 0, 0]]])

    Reference: TF Hub pages tensorflow/albert_en_base/1 and /3; `export_albert_tfhub.py` and
    `export_tfhub.py` of the Model Garden.
    """
    if not isinstance(model, (AlbertEncoder, AlbertPretrainer)):
        raise TypeError(
            "`model` must be an AlbertEncoder or an AlbertPretrainer. Received: "
            f"{type(model).__name__}. For a checkpoint: AlbertPretrainer.from_checkpoint(path)."
        )
    refuse_existing(path, overwrite)  # Before any work.
    pretrainer = model
    if isinstance(model, AlbertEncoder):
        pretrainer = AlbertPretrainer(model, masked_lm=None, sentence_order=None)
    check_computation(pretrainer.encoder, skip_padding, compute_dtype)
    config = pretrainer.encoder.albert_config
    vocabulary = None
    if sp_model is not None or vocab_file is not None:
        vocabulary = given_vocabulary(sp_model, vocab_file, do_lower_case)
        vocabulary.check_size(config.vocab_size)
    with (
        replacing_directory(path, overwrite=overwrite) as temporary,
        exported_computation(pretrainer.encoder, skip_padding, compute_dtype) as computation,
    ):
        with traced_once():
            root = _reusable_object(pretrainer, vocabulary, computation)
            signatures = {
                name: _signature(root.__call__, keys) for name, keys in SIGNATURES.items()
            }
        tf.saved_model.save(root, str(temporary), signatures=signatures)
        checks = check_or_raise(temporary)
    return checks


def _reusable_object(pretrainer, vocabulary, computation):
    encoder, masked_lm, sentence_order = (
        pretrainer.encoder,
        pretrainer.masked_lm,
        pretrainer.sentence_order,
    )
    variables = _tf_variables(encoder)

    # Every way of calling converges on this function, traced for training and for inference.
    @tf.function(autograph=False)
    def encode(inputs, training):
        inputs = unpack_inputs(inputs)  # Shapes that differ are an error here, too.
        # The gradient of a loaded function goes through all its outputs, whoever uses them: in
        # training, a computation of pooled_output's own would be in addition.
        outputs = encoder.encode(*inputs, training=training, apart=not training)
        # Whatever it computes in, a SavedModel speaks float32.
        return tf.nest.map_structure(lambda x: tf.cast(x, tf.float32), outputs)

    def call(inputs, training=False, mask=None):
        named = isinstance(inputs, dict)
        outputs = encode(_three(inputs), training)
        if named:
            return {"default": outputs["pooled_output"], **outputs}
        return [outputs["pooled_output"], outputs["sequence_output"]]

    root = _reusable(call, variables, [dict, list, tuple], computation)
    attach_vocabulary(root, vocabulary)
    config_json = encoder.albert_config.to_json()
    root.config = tf.function(lambda: tf.constant(config_json), input_signature=[], autograph=False)

    if rules := recorded_rules(pretrainer):
        root.rules = tf.function(lambda: tf.constant(rules), input_signature=[], autograph=False)

    if masked_lm is not None:

        def call_masked_lm(inputs, training=False, mask=None):
            outputs = encode(_three(inputs), training)
            positions = as_int32(inputs["masked_lm_positions"])
            table = encoder.embeddings.word_embeddings.table()
            logits = masked_lm(outputs["sequence_output"], positions, table)
            return {"mlm_logits": logits, **outputs}

        head = _tf_variables(masked_lm)
        further = ["masked_lm_positions"]
        root.mlm = _reusable(call_masked_lm, variables + head, [dict], computation, further)

    if sentence_order is not None:

        def call_sentence_order(inputs, training=False, mask=None):
            outputs = encode(_three(inputs), training)
            return {"sop_logits": sentence_order(outputs["pooled_output"]), **outputs}

        head = _tf_variables(sentence_order)
        root.sop = _reusable(call_sentence_order, variables + head, [dict], computation)
    return root


def _three(inputs):
    """The three inputs as a list of int32."""
    tensors = [inputs[name] for name in INPUT_NAMES] if isinstance(inputs, dict) else list(inputs)
    return tensors if tensors[0].dtype == tf.int32 else _narrow(tensors)


@tf.function(autograph=False)
def _narrow(tensors):
    """A function in the graph, too, where it is called many times."""
    return [as_int32(tensor) for tensor in tensors]


def _tf_variables(layer):
    return [tf_variable(weight) for weight in layer.weights_by_name().values()]


def _reusable(call, variables, kinds, computation, further_inputs=()):
    """An object with the reusable SavedModel interface, traced for each kind of input."""
    # tf.Module has no room for `variables`; this is the plain trackable object that TensorFlow
    # offers publicly.
    root = tf.train.Checkpoint()
    root.variables = variables
    root.trainable_variables = list(variables)
    root.regularization_losses = []
    root.computation = computation
    root.__call__ = tf.function(call, autograph=False)
    names = [*INPUT_NAMES, *further_inputs]
    for dtype in (tf.int32, tf.int64):
        specs = [tf.TensorSpec([None, None], dtype, name) for name in names]
        for kind in kinds:
            inputs = dict(zip(names, specs)) if kind is dict else kind(specs)
            for training in (False, True):
                root.__call__.get_concrete_function(inputs, training=training, mask=None)
    return root


def _signature(call, keys):
    specs = {key: tf.TensorSpec([None, None], tf.int32, key) for key in keys}

    def serve(**inputs):
        outputs = call(dict(zip(INPUT_NAMES, (inputs[key] for key in keys))), training=False)
        return {name: outputs[name] for name in SIGNATURE_OUTPUTS}

    return tf.function(serve, autograph=False).get_concrete_function(**specs)
