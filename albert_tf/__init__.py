"""ALBERT for TensorFlow 2, as Keras layers and as reusable SavedModels.

text -> tokens -> encoder -> heads     Preprocessor, AlbertEncoder, AlbertPretrainer
checkpoints in -> SavedModels out      AlbertEncoder.from_checkpoint, export_encoder
SavedModels in                         KerasLayer
"""

from albert_tf.config import HIDDEN_ACTIVATIONS, PRESETS, AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.heads import MaskedLM, SentenceOrder
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.saved_model.encoder import export_encoder
from albert_tf.saved_model.keras_layer import KerasLayer
from albert_tf.saved_model.preprocessor import export_preprocessor
from albert_tf.text.full_tokenizer import FullSentencePieceTokenizer
from albert_tf.text.preprocessor import Preprocessor
from albert_tf.text.reference import ReferenceTokenizer

__version__ = "0.1.0"
__all__ = [
    "AlbertConfig",
    "AlbertEncoder",
    "AlbertPretrainer",
    "FullSentencePieceTokenizer",
    "HIDDEN_ACTIVATIONS",
    "KerasLayer",
    "MaskedLM",
    "PRESETS",
    "Preprocessor",
    "ReferenceTokenizer",
    "SentenceOrder",
    "export_encoder",
    "export_preprocessor",
]
