"""A training step of Hugging Face's models in PyTorch: python train_torch.py fine-tuning|..."""

import sys

import torch
from serve import batch as make_batch
from serve import seconds, serve
from transformers import AlbertConfig, AlbertForPreTraining, AlbertForSequenceClassification

PREDICTIONS = 20
pretraining = sys.argv[1] == "pre-training"
config = AlbertConfig(
    hidden_size=768,
    num_attention_heads=12,
    intermediate_size=3072,
    hidden_act="gelu_new",
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    classifier_dropout_prob=0.0,
    attn_implementation="sdpa",
)
model = (AlbertForPreTraining if pretraining else AlbertForSequenceClassification)(config).train()
optimizer = torch.optim.AdamW(model.parameters(), 1e-5, weight_decay=0.01)


def run(ids, mask, types, labels):
    outputs = model(input_ids=ids, attention_mask=mask, token_type_ids=types, **labels)
    optimizer.zero_grad()
    outputs.loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def step(rows, length):
    inputs = [torch.from_numpy(x).long() for x in make_batch(rows, length)]
    zeros = torch.zeros([len(rows)], dtype=torch.int64)
    labels = {"labels": zeros}
    if pretraining:
        # The model scores every position; the loss counts those with a label.
        masked = torch.full([len(rows), length], -100)
        masked[:, :PREDICTIONS] = 5
        labels = {"labels": masked, "sentence_order_label": zeros}
    return seconds(run, *inputs, labels)


serve({"step": step})
