"""What an ALBERT is: its hyper-parameters, checked, and the published presets."""

import dataclasses
import json
import os
import re
from typing import Any, Self

from albert_tf._types import Path
from albert_tf.config_files import (
    CONFIG_FIELDS,
    HUGGING_FACE_ACTIVATIONS,
    HUGGING_FACE_FIXED_KEYS,
    HUGGING_FACE_IGNORED_KEYS,
    UNUSED_KEYS,
    check_fixed,
    read_json_object,
    unread_keys,
)
from albert_tf.messages import brief, listed

# "gelu" is the tanh approximation, as in Google's code for every published model;
# "gelu_erf" is the exact one, which Hugging Face calls "gelu".
HIDDEN_ACTIVATIONS = ("gelu", "gelu_erf", "relu", "tanh", "linear")

_MOST_SIZE = 2**31 - 1
# The largest published ALBERT has 24. Whatever is made or checked, is so block by block.
_MOST_BLOCKS = 1024
_MOST_FLOAT32 = 3.4028234e38


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlbertConfig:
    """The hyper-parameters of an ALBERT encoder, immutable and checked.

    Field names and defaults are those of `albert_config.json` and of the original's class
    `AlbertConfig` (google-research/albert, modeling.py), so `AlbertConfig(vocab_size=30000)` is
    albert_xxlarge. Heads, optimizers and vocabularies are not part of it.

    Args:
      vocab_size: Number of word pieces, V.
      embedding_size: Width of the embeddings, E.
      hidden_size: Width of the encoder, H.
      num_hidden_layers: Number of times a transformer group is applied, L.
      num_hidden_groups: Number of groups with weights of their own. 1 in all published models.
      inner_group_num: Number of transformer blocks in a group. 1 in all published models.
      num_attention_heads: Attention heads per block, A. Must divide `hidden_size`.
      intermediate_size: Width of the feed-forward layer.
      hidden_act: One of `HIDDEN_ACTIVATIONS`. "gelu" is the tanh approximation.
      hidden_dropout_prob: Dropout rate of embeddings and of each sub-layer's output.
      attention_probs_dropout_prob: Dropout rate of the attention probabilities.
      max_position_embeddings: Longest input in tokens.
      type_vocab_size: Number of segment ids.
      initializer_range: Standard deviation of the truncated normal initializer.
      attention_mask_value: What is added to the attention scores of padding: -10000 in Google's
        original and TF Hub /1, -1e9 in TF Hub /2 and /3. It shows in rows without any token only.
      project_same_width: Whether embeddings as wide as the encoder (E = H) go through a projection
        too, as in Hugging Face's code. The original has none there.

    Raises:
      ValueError: A value is out of its range, or of the wrong type.

    Example:

    >>> import albert_tf
    >>> config = albert_tf.AlbertConfig.from_preset("albert_base_v2")
    >>> config.hidden_size, config.num_hidden_layers
    (768, 12)

    Reference: https://arxiv.org/abs/1909.11942, section 3.
    """

    vocab_size: int
    embedding_size: int = 128
    hidden_size: int = 4096
    num_hidden_layers: int = 12
    num_hidden_groups: int = 1
    inner_group_num: int = 1
    num_attention_heads: int = 64
    intermediate_size: int = 16384
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    attention_mask_value: float = -10000.0
    project_same_width: bool = False

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type is int:
                if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                    raise ValueError(
                        f"`{field.name}` must be a positive integer. Received: {brief(value)}."
                    )
                if value > _MOST_SIZE:
                    raise ValueError(
                        f"`{field.name}` must not exceed {_MOST_SIZE}. Received: {brief(value)}."
                    )
            elif field.type is float:
                if isinstance(value, bool) or not isinstance(value, (int, float)):
                    raise ValueError(f"`{field.name}` must be a number. Received: {brief(value)}.")
                # All of them are used in float32. (Not-a-number is refused below.)
                if value > _MOST_FLOAT32 or value < -_MOST_FLOAT32:
                    raise ValueError(f"`{field.name}` must be finite. Received: {brief(value)}.")
                object.__setattr__(self, field.name, float(value))
            elif field.type is bool and not isinstance(value, bool):
                raise ValueError(f"`{field.name}` must be True or False. Received: {brief(value)}.")
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(
                    f"`{name}` must be in the range [0, 1). Received: {getattr(self, name)!r}."
                )
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                "`hidden_size` must be a multiple of `num_attention_heads`. Received: "
                f"hidden_size={self.hidden_size}, num_attention_heads={self.num_attention_heads}."
            )
        if self.num_hidden_layers * self.inner_group_num > _MOST_BLOCKS:
            raise ValueError(
                "`num_hidden_layers` x `inner_group_num`, the transformer blocks in a row, must "
                f"not exceed {_MOST_BLOCKS}. Received: num_hidden_layers={self.num_hidden_layers}, "
                f"inner_group_num={self.inner_group_num}."
            )
        if self.num_hidden_groups > self.num_hidden_layers:
            raise ValueError(
                "`num_hidden_groups` must not exceed `num_hidden_layers`: a group without a layer "
                f"would never be used. Received: num_hidden_groups={self.num_hidden_groups}, "
                f"num_hidden_layers={self.num_hidden_layers}."
            )
        if not self.initializer_range > 0.0:
            raise ValueError(
                f"`initializer_range` must be positive. Received: {self.initializer_range!r}."
            )
        if not self.attention_mask_value < 0.0:
            raise ValueError(
                "`attention_mask_value` must be negative and finite. Received: "
                f"{self.attention_mask_value!r}."
            )
        if self.hidden_act not in HIDDEN_ACTIVATIONS:
            raise ValueError(
                f"`hidden_act` must be one of {', '.join(HIDDEN_ACTIVATIONS)}. Received: "
                f"{brief(self.hidden_act)}. ('gelu' is the tanh approximation of Google's code, "
                "'gelu_erf' the exact one.)"
            )

        if self.project_same_width and self.embedding_size != self.hidden_size:
            raise ValueError(
                "`project_same_width` is for embeddings as wide as the encoder; others are always "
                f"projected. Received: True with embedding_size={self.embedding_size}, "
                f"hidden_size={self.hidden_size}."
            )

    @property
    def attention_head_size(self) -> int:
        return self.hidden_size // self.num_attention_heads

    @property
    def has_embedding_projection(self) -> bool:
        """Whether a dense layer stands between the embeddings and the first block."""
        return self.embedding_size != self.hidden_size or self.project_same_width

    def group_of_layer(self, layer: int) -> int:
        """Which group of weights layer `layer` uses, by the original's arithmetic."""
        return int(layer / self.num_hidden_layers * self.num_hidden_groups)

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """The configuration of a published model, such as "albert_base_v2" (see `PRESETS`)."""
        if name not in PRESETS:
            raise ValueError(
                f"There must be a preset of that name. Received: {brief(name)}. Available: "
                f"{', '.join(PRESETS)}."
            )
        return PRESETS[name]

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        """From the contents of an `albert_config.json`; unknown keys are errors."""
        values = dict(values)
        if values.get("model_type") is not None:
            return cls.from_hugging_face(values)
        check_fixed(values, UNUSED_KEYS)
        if "hidden_act" in values:
            values["hidden_act"] = _original_activation(values["hidden_act"])
        return cls._from_known(values)

    @classmethod
    def from_hugging_face(cls, values: dict) -> Self:
        """From the contents of a Hugging Face `config.json` with model_type "albert".

        Keys that change nothing are passed over; see `config_files.unread_keys`.
        """
        unread = HUGGING_FACE_IGNORED_KEYS.union(unread_keys(values))
        values = {k: v for k, v in values.items() if k not in unread}
        check_fixed(values, HUGGING_FACE_FIXED_KEYS)
        check_fixed(values, UNUSED_KEYS)
        # Hugging Face writes only what differs from its own defaults, which are not ours.
        act = values.get("hidden_act", "gelu_new")
        if not isinstance(act, str) or act not in HUGGING_FACE_ACTIVATIONS:
            raise ValueError(
                f"`hidden_act` must be one of {', '.join(HUGGING_FACE_ACTIVATIONS)} in a Hugging "
                f"Face configuration. Received: {brief(act)}."
            )
        values["hidden_act"] = HUGGING_FACE_ACTIVATIONS[act]
        config = cls._from_known({"vocab_size": 30000, **values})
        config._check_groups_as_in_hugging_face()
        return config

    def to_hugging_face(self) -> dict[str, Any]:
        """The contents of a Hugging Face `config.json`, without architecture and special ids.

        `attention_mask_value` is added where it is not the default: their code does not read it,
        `from_hugging_face` does.
        """
        values = {"model_type": "albert", "layer_norm_eps": 1e-12, **self.to_dict()}
        names = reversed(HUGGING_FACE_ACTIVATIONS.items())
        values["hidden_act"] = {ours: theirs for theirs, ours in names}[self.hidden_act]
        del values["project_same_width"]  # Theirs always projects.
        if self.attention_mask_value == type(self).attention_mask_value:
            del values["attention_mask_value"]
        self._check_groups_as_in_hugging_face()
        return values

    def _check_groups_as_in_hugging_face(self):
        # The same quotient in another order; for numbers such as 18 layers in 14 groups it rounds
        # to another group.
        layers, groups = self.num_hidden_layers, self.num_hidden_groups
        for layer in range(layers):
            if int(layer / (layers / groups)) != self.group_of_layer(layer):
                raise ValueError(
                    "Hugging Face's code and the original must use the same group for every layer. "
                    f"Received: num_hidden_layers={layers}, num_hidden_groups={groups}, where they "
                    f"round differently at layer {layer}. Such a model cannot be converted."
                )

    @classmethod
    def from_keras(cls, arguments: dict[str, object], **fields: object) -> Self:
        """From constructor arguments of `AlbertEncoder`, and fields that it lacks."""
        unknown = sorted(set(arguments) - set(CONFIG_FIELDS), key=str)
        if unknown:
            raise ValueError(
                f"Encoder arguments must be known. Received: {listed(unknown)}. Supported: "
                f"{', '.join(CONFIG_FIELDS)}."
            )
        named = {CONFIG_FIELDS[argument]: value for argument, value in arguments.items()}
        try:
            return cls._from_known({**named, **fields})
        except ValueError as error:
            own = {field: argument for argument, field in CONFIG_FIELDS.items()}
            own["initializer_range"] = "initializer"
            names = re.compile(rf"\b({'|'.join(own)})\b")
            raise ValueError(names.sub(lambda field: own[field[0]], str(error))) from None

    def to_keras(self) -> dict[str, Any]:
        """The constructor arguments of `AlbertEncoder` that these fields are."""
        return {argument: getattr(self, field) for argument, field in CONFIG_FIELDS.items()}

    @classmethod
    def from_json_file(cls, path: Path) -> Self:
        """From a file: Google's `albert_config.json` or Hugging Face's `config.json`."""
        return cls.from_dict(read_json_object(path))

    @classmethod
    def from_name_or_file(cls, config: Self | Path | dict | None) -> Self:
        """From the name of a preset or the path of a JSON file; an `AlbertConfig` is returned."""
        if isinstance(config, cls):
            return config
        if isinstance(config, str) and config in PRESETS:
            return cls.from_preset(config)
        if not isinstance(config, (str, os.PathLike)) or not os.path.exists(config):
            raise FileNotFoundError(
                "A configuration must be the name of a preset or an existing JSON file. Received: "
                f"{brief(config)}. Presets: {', '.join(PRESETS)}."
            )
        return cls.from_json_file(config)

    @classmethod
    def _from_known(cls, values):
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known), key=str)
        if unknown:
            raise ValueError(
                f"Configuration keys must be known. Received: {listed(unknown)}. Supported: "
                f"{', '.join(known)}."
            )
        if "vocab_size" not in values:
            raise ValueError(
                "A configuration must state `vocab_size`, the number of word pieces. Received: "
                f"{listed(sorted(values, key=str), most=20) or 'no keys'}."
            )
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """All fields as a dict that `from_dict` takes back."""
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        """All fields as a JSON string."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True)


def _original_activation(name):
    """The original lower-cases the name, and takes None and "" for no activation."""
    if name is None or name == "":
        return "linear"
    return name.lower() if isinstance(name, str) else name


def _presets():
    # Sizes: Table 1 of arXiv 1909.11942 (E = 128; A = H / 64) and the albert_config.json printed on
    # the TF Hub pages google/albert_{base,large,xlarge,xxlarge}/{1,2,3}. Hub /1 holds the v1
    # weights, /2 and /3 the v2 weights, whose pages say "no dropout"; xxlarge had none in v1.
    sizes = {
        # name: hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, v1 dropout
        "base": (768, 12, 12, 3072, 0.1),
        "large": (1024, 24, 16, 4096, 0.1),
        "xlarge": (2048, 24, 32, 8192, 0.1),
        "xxlarge": (4096, 12, 64, 16384, 0.0),
    }
    presets = {}
    for size, (hidden, layers, heads, intermediate, v1_dropout) in sizes.items():
        for version, dropout in (("v1", v1_dropout), ("v2", 0.0)):
            presets[f"albert_{size}_{version}"] = AlbertConfig(
                vocab_size=30000,
                hidden_size=hidden,
                num_hidden_layers=layers,
                num_attention_heads=heads,
                intermediate_size=intermediate,
                hidden_dropout_prob=dropout,
                attention_probs_dropout_prob=dropout,
            )
    return presets


PRESETS = _presets()


def transformer_name(group, inner):
    """The name of a block: "transformer" for the first, as published."""
    if group == 0 and inner == 0:
        return "transformer"
    return f"transformer_group_{group}_inner_group_{inner}"
