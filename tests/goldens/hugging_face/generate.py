"""Makes the checkpoints in this folder with Hugging Face's own code, and records its outputs.

Run it in an environment of its own; nothing of albert_tf is needed:

    pip install torch==2.13.0 transformers==5.23.0 sentencepiece safetensors
    python generate.py --output=.

The files tf_model.h5 need the last version that has TensorFlow classes, over the same output:

    pip install torch==2.13.0 transformers==4.57.6 tensorflow==2.21.* tf-keras==2.21.* h5py
    python generate.py --output=. --tensorflow

Weights are random, with seeds; outputs are those of PyTorch in float32 with "eager" attention.
"""

import argparse
import json
import os
import pathlib
import shutil

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import torch
import transformers

SIZES = {
    "vocab_size": 100,
    "embedding_size": 8,
    "hidden_size": 12,
    "num_hidden_layers": 4,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 40,
    "attn_implementation": "eager",
}

# Directory: (class, changes of the configuration).
MODELS = {
    "pretraining": (
        "AlbertForPreTraining",
        {"num_hidden_groups": 2, "inner_group_num": 2, "type_vocab_size": 5},
    ),
    "model": ("AlbertModel", {"hidden_act": "gelu", "type_vocab_size": 5}),
    "masked_lm": ("AlbertForMaskedLM", {"hidden_act": "gelu"}),
    "sequence_classification": (
        "AlbertForSequenceClassification",
        {"hidden_act": "relu", "num_labels": 3},
    ),
    "token_classification": (
        "AlbertForTokenClassification",
        {"embedding_size": 12, "num_labels": 5},
    ),
    "question_answering": ("AlbertForQuestionAnswering", {"num_hidden_groups": 2}),
    "multiple_choice": ("AlbertForMultipleChoice", {"inner_group_num": 2}),
}


def new_model(name):
    class_name, changes = MODELS[name]
    model = getattr(transformers, class_name)(
        transformers.AlbertConfig(**{**SIZES, **changes})
    ).eval()
    generator = torch.Generator().manual_seed(list(MODELS).index(name))
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            norm = "LayerNorm.weight" in parameter_name or "layer_norm.weight" in parameter_name
            parameter.copy_(1 + 0.1 * noise if norm else 0.3 * noise)
    return model


def inputs_for(name, type_vocab_size):
    rng = np.random.default_rng(7)
    shape = (2, 3, 17) if name == "multiple_choice" else (4, 17)
    lengths = rng.integers(1, 18, shape[:-1])
    lengths.flat[0] = 17
    return {
        "input_ids": rng.integers(0, SIZES["vocab_size"], shape),
        "attention_mask": (np.arange(17) < lengths[..., None]).astype(np.int64),
        "token_type_ids": rng.integers(0, type_vocab_size, shape),
    }


def record(model, path, name):
    """Saves inputs, the encoder's outputs and the head's outputs."""
    inputs = inputs_for(name, model.config.type_vocab_size)
    with torch.no_grad():
        outputs = model(**{key: torch.tensor(value) for key, value in inputs.items()})
        arrays = {key: value.numpy() for key, value in outputs.items()}
        flat = {k: torch.tensor(v.reshape(-1, v.shape[-1])) for k, v in inputs.items()}
        encoder = model if name == "model" else model.albert
        for key, value in encoder(**flat).items():
            if value is not None:
                arrays[f"encoder/{key}"] = value.numpy()
    np.savez_compressed(path, **{f"inputs/{k}": v for k, v in inputs.items()}, **arrays)


def save_formats(model, output):
    """The same weights in every other format that Hugging Face has had."""
    config = output / "pretraining" / "config.json"

    def directory(name):
        (output / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(config, output / name)
        return output / name

    # As transformers 2 to 4.30 wrote it: the buffer, and the tied weights once more.
    state = model.state_dict()
    state["albert.embeddings.position_ids"] = torch.arange(40)[None]
    torch.save(state, directory("bin") / "pytorch_model.bin")
    torch.save(
        state,
        directory("bin_legacy") / "pytorch_model.bin",
        _use_new_zipfile_serialization=False,
    )
    shards = {"pytorch_model-00001-of-00002.bin": {}, "pytorch_model-00002-of-00002.bin": {}}
    for number, (name, tensor) in enumerate(state.items()):
        list(shards.values())[number % 2][name] = tensor
    path = directory("bin_sharded")
    for name, shard in shards.items():
        torch.save(shard, path / name)
    weight_map = {tensor: file for file, shard in shards.items() for tensor in shard}
    (path / "pytorch_model.bin.index.json").write_text(
        json.dumps({"metadata": {"total_size": 1}, "weight_map": weight_map}, indent=1)
    )
    model.save_pretrained(output / "sharded", max_shard_size="15KB")
    for dtype in (torch.bfloat16, torch.float16):
        half = model.to(dtype)
        name = str(dtype).removeprefix("torch.")
        half.save_pretrained(output / name)
        record(half.float(), output / name / "outputs.npz", "pretraining")
        model = new_model("pretraining")


def make(output):
    for name in MODELS:
        model = new_model(name)
        model.save_pretrained(output / name)
        record(model, output / name / "outputs.npz", name)
    save_formats(new_model("pretraining"), output)
    for file in output.glob("*/generation_config.json"):
        file.unlink()


def make_tensorflow(output):
    # model.safetensors does not hold the second bias of the masked LM head, which TensorFlow's
    # class has apart and uses: the two of masked_lm_h5 differ.
    for source, name in (("bin", "pretraining"), ("masked_lm", "masked_lm"), ("model", "model")):
        cls = getattr(transformers, "TF" + MODELS[name][0])
        model = cls.from_pretrained(output / source, from_pt=True)
        target = output / f"{name}_h5"
        model.save_pretrained(target)
        shutil.copy(output / name / "config.json", target)
        (target / "generation_config.json").unlink(missing_ok=True)
        inputs = inputs_for(name, model.config.type_vocab_size)
        arrays = {key: value.numpy() for key, value in model(inputs).items()}
        np.savez_compressed(
            target / "outputs.npz", **{f"inputs/{k}": v for k, v in inputs.items()}, **arrays
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--tensorflow", action="store_true")
    arguments = parser.parse_args()
    (make_tensorflow if arguments.tensorflow else make)(arguments.output)
