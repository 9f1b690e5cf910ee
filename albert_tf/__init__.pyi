"""The public names, each with the module that it is from.

Type checkers and editors read this file; so does `__init__.py`, which imports a name when it is
first used.
"""

from albert_tf import albert_tiny_en
from albert_tf.checkpoints.inspection import inspect
from albert_tf.checkpoints.read import read as read_checkpoint
from albert_tf.checkpoints.writers.hugging_face import write_hugging_face
from albert_tf.checkpoints.writers.tf1 import write_tf1
from albert_tf.config import HIDDEN_ACTIVATIONS, PRESETS, AlbertConfig
from albert_tf.conversion import convert
from albert_tf.data.pretraining.document_format import DocumentFormat
from albert_tf.data.pretraining.documents import DocumentFiles, DocumentIterable
from albert_tf.data.pretraining.dynamic_masking import DynamicMasking
from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.reader import PretrainingRecords
from albert_tf.data.pretraining.write import write_pretraining_data
from albert_tf.data.tasks.classifier_features import classifier_features
from albert_tf.data.tasks.multiple_choice_features import multiple_choice_features
from albert_tf.data.tasks.race import read as read_race
from albert_tf.data.tasks.squad import read as read_squad
from albert_tf.data.tasks.squad_features import squad_features
from albert_tf.data.tasks.token_features import token_features
from albert_tf.data.tasks.user_files import (
    read_classification,
    read_multi_label,
    read_regression,
    read_tagging,
)
from albert_tf.encoder import AlbertEncoder
from albert_tf.fill_mask import FillMask
from albert_tf.heads import MaskedLM, SentenceOrder
from albert_tf.keras_layer.keras_layer import KerasLayer
from albert_tf.onnx_file import export_onnx
from albert_tf.prediction.model_handler import PredictorModelHandler
from albert_tf.prediction.predictor import Predictor
from albert_tf.prediction.similarity import draw_heat_map
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.saved_model.classifier import export_classifier
from albert_tf.saved_model.contract.check import check
from albert_tf.saved_model.embedder import export_embedder
from albert_tf.saved_model.encoder import export_encoder
from albert_tf.saved_model.fill_mask import export_fill_mask
from albert_tf.saved_model.multiple_choice import export_multiple_choice
from albert_tf.saved_model.preprocessor import export_preprocessor
from albert_tf.saved_model.span_labeler import export_span_labeler
from albert_tf.saved_model.token_classifier import export_token_classifier
from albert_tf.tasks.classifier import (
    AlbertClassifier,
    classification_loss,
    multi_label_loss,
    regression_loss,
)
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.tasks.span_labeler import AlbertSpanLabeler, no_answer_loss, span_loss
from albert_tf.tasks.token_classifier import AlbertTokenClassifier, token_classification_loss
from albert_tf.text.full_tokenizer import FullSentencePieceTokenizer
from albert_tf.text.preprocessor import Preprocessor
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.text.tokenizer import Tokenizer
from albert_tf.text.vocabulary import train_vocabulary
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer
from albert_tf.tflite import export_tflite
from albert_tf.training.finetuning.finetune import finetune
from albert_tf.training.finetuning.options import FinetuneOptions
from albert_tf.training.finetuning.tasks import make_task
from albert_tf.training.optimizers.adamw_lamb import AdamW, Lamb
from albert_tf.training.optimizers.schedules import WarmupPolynomialDecay
from albert_tf.training.pretraining.options import PretrainOptions
from albert_tf.training.pretraining.pretrain import pretrain

__version__: str
__all__ = [
    "AdamW",
    "AlbertClassifier",
    "AlbertConfig",
    "AlbertEncoder",
    "AlbertMultipleChoice",
    "AlbertPretrainer",
    "AlbertSpanLabeler",
    "AlbertTokenClassifier",
    "DocumentFiles",
    "DocumentFormat",
    "DocumentIterable",
    "DynamicMasking",
    "FillMask",
    "FinetuneOptions",
    "FullSentencePieceTokenizer",
    "HIDDEN_ACTIVATIONS",
    "KerasLayer",
    "Lamb",
    "MaskedLM",
    "PRESETS",
    "Predictor",
    "PredictorModelHandler",
    "Preprocessor",
    "PretrainOptions",
    "PretrainingOptions",
    "PretrainingRecords",
    "ReferenceTokenizer",
    "SentenceOrder",
    "Tokenizer",
    "WarmupPolynomialDecay",
    "WordPieceReferenceTokenizer",
    "albert_tiny_en",
    "check",
    "classification_loss",
    "classifier_features",
    "convert",
    "draw_heat_map",
    "export_classifier",
    "export_embedder",
    "export_encoder",
    "export_fill_mask",
    "export_multiple_choice",
    "export_onnx",
    "export_preprocessor",
    "export_span_labeler",
    "export_tflite",
    "export_token_classifier",
    "finetune",
    "inspect",
    "make_task",
    "multi_label_loss",
    "multiple_choice_features",
    "no_answer_loss",
    "pretrain",
    "read_checkpoint",
    "read_classification",
    "read_multi_label",
    "read_race",
    "read_regression",
    "read_squad",
    "read_tagging",
    "regression_loss",
    "span_loss",
    "squad_features",
    "token_classification_loss",
    "token_features",
    "train_vocabulary",
    "write_hugging_face",
    "write_pretraining_data",
    "write_tf1",
]
