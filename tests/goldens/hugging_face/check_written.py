"""Loads what `write_hugging_face` wrote with Hugging Face's own code, and compares the outputs.

Run it in an environment with torch and transformers (see generate.py), on directories that also
hold `outputs.npz` (inputs/* and the outputs expected) and, if they have a tokenizer, `ids.json`
(a list of [text, ids]). tests/checkpoints/test_hugging_face_writer.py makes such directories, and
runs this script if ALBERT_TF_TRANSFORMERS_PYTHON names the Python of such an environment:

    export ALBERT_TF_TRANSFORMERS_PYTHON=~/hf/bin/python
    pytest tests/checkpoints/test_hugging_face_writer.py
"""

import argparse
import json
import pathlib

import numpy as np
import torch
import transformers


def check(directory):
    architecture = json.loads((directory / "config.json").read_text())["architectures"][0]
    auto = {
        "AlbertModel": transformers.AutoModel,
        "AlbertForPreTraining": transformers.AutoModelForPreTraining,
        "AlbertForMaskedLM": transformers.AutoModelForMaskedLM,
    }[architecture]
    model, info = auto.from_pretrained(
        directory, attn_implementation="eager", output_loading_info=True
    )
    assert type(model).__name__ == architecture, type(model)
    strange = {key: value for key, value in info.items() if value}
    assert not strange, strange

    recorded = np.load(directory / "outputs.npz")
    inputs = {
        key.removeprefix("inputs/"): torch.tensor(recorded[key])
        for key in recorded
        if key.startswith("inputs/")
    }
    with torch.no_grad():
        outputs = model.eval()(**inputs)
    for key, value in outputs.items():
        difference = np.abs(value.numpy() - recorded[key]).max()
        assert difference < 1e-5, (key, difference)
        print(f"{directory.name}: {key} differs by {difference:.1e}")

    if (directory / "ids.json").is_file():
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
        for text, ids in json.loads((directory / "ids.json").read_text()):
            found = tokenizer(text)["input_ids"]
            assert found == ids, (text, found, ids)
        pair = tokenizer("one two", "three")
        assert pair["token_type_ids"][0] == 0 and pair["token_type_ids"][-1] == 1, pair
        assert set(pair) == {"input_ids", "token_type_ids", "attention_mask"}, pair
        assert tokenizer.mask_token == "[MASK]" and tokenizer.pad_token == "<pad>"
        print(f"{directory.name}: {type(tokenizer).__name__} gives the ids expected")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directories", nargs="+", type=pathlib.Path)
    for path in parser.parse_args().directories:
        check(path)
