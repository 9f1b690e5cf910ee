"""An ONNX file under ONNX Runtime, or OpenVINO: python onnx_model.py onnxruntime|openvino FILE"""

import sys

import numpy as np
from serve import serve_encoder

engine, path = sys.argv[1:3]
names = ["ids", "mask", "types"]
if engine == "onnxruntime":
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def call(outputs, inputs):
        return session.run(outputs, inputs)
else:
    import openvino

    # float32 as everybody else: by default OpenVINO computes in bfloat16 where the machine can.
    options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(path, "CPU", options)

    def call(_, inputs):
        return list(compiled(inputs).values())


def forward(outputs, *inputs):
    return call(outputs, {name: x.astype(np.int64) for name, x in zip(names, inputs)})


serve_encoder(forward)
