"""What a user's type checker sees: pyright must accept this program. It is not run."""

import tensorflow as tf

import albert_tf

config = albert_tf.AlbertConfig.from_preset("albert_base_v2")
heads: int = config.attention_head_size
size: dict[str, object] = config.to_dict()
same: albert_tf.AlbertConfig = albert_tf.AlbertConfig.from_name_or_file(config)

stored = albert_tf.read_checkpoint("albert_tiny_en", config=None)
print(albert_tf.inspect("albert_tiny_en").parameters, stored.flavor)
failed = [check.promise for check in albert_tf.check("exported/encoder") if check.difference]

options = albert_tf.FinetuneOptions(seed=1, precision="bfloat16")
rate = albert_tf.WarmupPolynomialDecay(1e-4, num_train_steps=100, num_warmup_steps=10)
albert_tf.AdamW(rate, weight_decay_rate=0.01)
albert_tf.Lamb(1e-3, exclude_from_layer_adaptation=["bias"])

encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
classifier = albert_tf.AlbertClassifier(encoder)
checks = albert_tf.export_classifier(classifier, "out", labels=["a", "b"], skip_padding=False)
print([check.promise for check in checks])
print(albert_tf.convert("albert_tiny_en", "out", "huggingface").variables)
words: list[str] = albert_tf.ReferenceTokenizer("30k-clean.model").tokenize("Hello")

loss = albert_tf.classification_loss(tf.constant([1]), tf.constant([[0.0, 1.0]]))
print(loss.shape)

# What is wrong must be seen as wrong: pyright complains of a comment that has nothing to ignore.
albert_tf.AlbertConfig.from_preset(3)  # pyright: ignore[reportArgumentType]
albert_tf.AdamW(rate, norm_of_rows="yes")  # pyright: ignore[reportArgumentType]
albert_tf.inspekt("x")  # pyright: ignore[reportAttributeAccessIssue]
albert_tf.write_tf1(1)  # pyright: ignore[reportCallIssue]
albert_tf.export_classifier(classifier, "out", warmup="yes")  # pyright: ignore[reportArgumentType]
albert_tf.export_classifier(classifier, "out", skip_pading=1)  # pyright: ignore[reportCallIssue]
albert_tf.convert("albert_tiny_en", "out")  # pyright: ignore[reportCallIssue]
