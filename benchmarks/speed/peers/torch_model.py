"""Hugging Face's AlbertModel in PyTorch, with its fused attention (sdpa); --compile compiles it.

    python torch_model.py [--compile] [--export=model.onnx]

--export writes the ONNX file that ONNX Runtime and OpenVINO run, and ends.
"""

import sys

import torch
from serve import serve_encoder
from transformers import AlbertConfig, AlbertModel

config = AlbertConfig(
    hidden_size=768,
    num_attention_heads=12,
    intermediate_size=3072,
    hidden_act="gelu_new",
    attn_implementation="sdpa",
)
model = AlbertModel(config).eval()


class Outputs(torch.nn.Module):
    """The model with plain tensors in and out."""

    def forward(self, ids, mask, types):
        outputs = model(input_ids=ids, attention_mask=mask, token_type_ids=types)
        return outputs.last_hidden_state, outputs.pooler_output


def export(path):
    ids = torch.ones([2, 16], dtype=torch.int64)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length")}
    torch.onnx.export(
        Outputs(),
        (ids, ids, torch.zeros_like(ids)),
        path,
        input_names=["ids", "mask", "types"],
        output_names=["sequence_output", "pooled_output"],
        dynamic_shapes=[axes, axes, axes],
        external_data=False,
    )


def main():
    exports = [a.removeprefix("--export=") for a in sys.argv if a.startswith("--export=")]
    if exports:
        return export(exports[0])
    call = torch.compile(Outputs(), dynamic=False) if "--compile" in sys.argv else Outputs()

    def forward(_, *inputs):
        with torch.inference_mode():
            return [y.numpy() for y in call(*(torch.from_numpy(x).long() for x in inputs))]

    serve_encoder(forward)


main()
