"""A TensorFlow Lite file of albert_tf in LiteRT, without TensorFlow: python tflite_model.py FILE"""

import os
import sys

from ai_edge_litert.interpreter import Interpreter
from serve import serve_encoder

interpreter = Interpreter(model_path=sys.argv[1], num_threads=os.cpu_count())
runner = interpreter.get_signature_runner("serving_default")


def forward(_, word_ids, mask, type_ids):
    return runner(input_word_ids=word_ids, input_mask=mask, input_type_ids=type_ids)


serve_encoder(forward)
