"""One training step on all devices: gradients of the global batch, clipping, update."""

import contextlib
import functools

import numpy as np
import tensorflow as tf

from albert_tf.layers.activations import compiled_gelu
from albert_tf.layers.dropout import dropout_seed
from albert_tf.training.loss_scale import LossScale, uses_float16
from albert_tf.training.optimizer_base import ClippedOptimizer, raw_variable, row_squares


class TrainStep:
    """What happens on the devices for each global batch; `train` is the loop around it.

    The same global batch gives the same losses and the same weights (up to rounding, and without
    dropout) on one device, several, or several machines, with and without accumulation: each loss
    is divided by its weight in the global batch, and the gradients are added up before they are
    clipped. Dropout depends on `seed`, the step and the replica alone.

    Works with both Keras generations; Keras 3's `fit` fails under MultiWorkerMirroredStrategy.
    Does not add a model's regularization losses.

    Args:
      model: A built Keras model, constructed under `strategy.scope()`.
      losses: {name: Term}; their sum is minimized.
      optimizer: `AdamW` or `Lamb`, constructed under `strategy.scope()`.
      strategy: A tf.distribute.Strategy; None for the current one.
      metrics: {name: Term}; reported only.
      accumulate_steps: Micro-batches that each device's part of a batch is cut into, for batches
        that do not fit.
      jit_compile: Whether to compile with XLA: the whole step on one replica, forward and backward
        on several. (A TPU always compiles.) Needs batches of one static shape. Without it, on CPUs,
        GELU alone is compiled, where its shape is static.
      loss_scale: A `LossScale`, constructed under `strategy.scope()`; None for none; "auto" for
        one if a layer computes in float16.
      seed: Seed of dropout, an integer.

    Raises:
      ValueError: An argument is not as above.

    Reference: https://www.tensorflow.org/tutorials/distribute/custom_training
    """

    def __init__(
        self,
        model,
        losses,
        optimizer,
        strategy=None,
        metrics=None,
        accumulate_steps=1,
        jit_compile=False,
        loss_scale="auto",
        seed=0,
    ):
        self.strategy = strategy or tf.distribute.get_strategy()
        if not isinstance(optimizer, ClippedOptimizer):
            raise ValueError(
                "`optimizer` must be an AdamW or a Lamb of albert_tf.training.optimizers. "
                f"Received: {optimizer!r}. Other Keras optimizers work in model.fit."
            )
        if not losses:
            raise ValueError("`losses` must name at least one term. Received: none.")
        if accumulate_steps < 1:
            raise ValueError(f"`accumulate_steps` must be positive. Received: {accumulate_steps}.")
        self.model = model
        self.losses = dict(losses)
        self.optimizer = optimizer
        self.terms = {**self.losses, **(metrics or {})}
        self.accumulate_steps = accumulate_steps
        self.jit_compile = jit_compile
        self.seed = seed
        self._check_scope(model.trainable_variables, "model")
        self._check_scope([optimizer.iterations], "optimizer")
        with self.strategy.scope():
            optimizer.build(model.trainable_variables)
            if loss_scale == "auto":
                loss_scale = LossScale() if uses_float16(model) else None
        self.loss_scale = loss_scale

        # On CPUs alone, where TensorFlow brings all that XLA needs.
        only_cpus = all(d.device_type == "CPU" for d in tf.config.list_logical_devices())
        self._gelu = compiled_gelu if only_cpus else contextlib.nullcontext
        compiled = functools.partial(tf.function, jit_compile=True, autograph=False)
        one_replica = self.strategy.num_replicas_in_sync == 1
        self._gradients = self._batch_gradients
        self._step = tf.autograph.experimental.do_not_convert(self._replica_step)
        if jit_compile and one_replica:
            self._step = compiled(self._replica_step)
        elif jit_compile:
            # The update adds up over replicas, which a compiled function cannot.
            self._gradients = compiled(self._batch_gradients)
        self._many_steps = tf.function(self._many_steps)

    @property
    def log_names(self):
        """Names of the numbers that a step reports."""
        losses = list(self.losses) if len(self.losses) > 1 else []
        metrics = [name for name in self.terms if name not in self.losses]
        scale = ["loss_scale"] if self.loss_scale else []
        return ["loss", *losses, *metrics, "grad_norm", "learning_rate", *scale]

    def state_variables(self):
        """What the next step depends on besides the model's weights: {name: tf.Variable}."""
        weights = {id(v) for v in self.model.weights}
        # Keras 3 layers may own the state of a random generator.
        variables = [v for v in self.model.variables if id(v) not in weights]
        variables += list(self.optimizer.variables)
        variables += self.loss_scale.variables if self.loss_scale else []
        return {f"{i:04d}/{raw_variable(v).name}": raw_variable(v) for i, v in enumerate(variables)}

    def __call__(self, iterator, num_steps, first_step, stop=False):
        """Runs several steps on the devices without coming back to Python.

        Args:
          iterator: Iterator of a distributed data set of (inputs, targets).
          num_steps: How many.
          first_step: The number of the first, counted from 0.
          stop: Whether this process was asked to stop.

        Returns:
          {name: float32 array [num_steps]} for `log_names`, and whether any process was asked to
          stop.
        """
        logs, stop = self._many_steps(
            iterator,
            tf.constant(num_steps, tf.int32),
            tf.constant(first_step, tf.int64),
            tf.constant(float(stop)),
        )
        return dict(zip(self.log_names, np.asarray(logs).T)), bool(stop > 0.0)

    # === In the graph ===

    def _many_steps(self, iterator, num_steps, first_step, stop):
        logs = tf.TensorArray(tf.float32, num_steps, element_shape=[len(self.log_names)])
        stopped = tf.constant(0.0)
        for i in tf.range(num_steps):
            step = first_step + tf.cast(i, tf.int64)
            results = self.strategy.run(self._step, args=(next(iterator), step, stop))
            # All replicas report the same.
            values, stopped = tf.nest.map_structure(self._of_first_replica, results)
            logs = logs.write(i, values)
        return logs.stack(), stopped

    def _of_first_replica(self, value):
        return self.strategy.experimental_local_results(value)[0]

    def _replica_step(self, batch, step, stop):
        context = tf.distribute.get_replica_context()
        # TensorFlow keeps the graph of what it reduces, and the model, as long as the process lives.
        reduces = context.num_replicas_in_sync > 1
        total = functools.partial(context.all_reduce, tf.distribute.ReduceOp.SUM)
        add_up = total if reduces else lambda x: x
        fold_in = tf.random.experimental.stateless_fold_in
        seed = fold_in(tf.constant([self.seed, 0], tf.int64), step)
        seed = fold_in(seed, tf.cast(context.replica_id_in_sync_group, tf.int64))
        inputs, targets = batch[0], batch[1]
        scale = tf.convert_to_tensor(self.loss_scale.scale) if self.loss_scale else None

        # One addition over the replicas for all the small numbers.
        weights = [
            tf.reduce_sum(tf.cast(term.weights(targets), tf.float32))
            for term in self.terms.values()
        ]
        weights = tf.unstack(add_up(tf.stack([stop, *weights])))
        stop, weights = weights[0], dict(zip(self.terms, weights[1:]))

        gradients, rows, sums = self._gradients(inputs, targets, weights, seed, scale)
        gradients, rows, sums = add_up((gradients, rows, sums))
        if scale is not None:
            gradients = [gradient / scale for gradient in gradients]
            rows = [row / scale**2 for row in rows]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
        rate = self.optimizer.current_learning_rate()
        variables = self._variables_with_gradients
        norm = self.optimizer.apply_summed(gradients, variables, rows, apply=finite)
        if self.loss_scale:
            self.loss_scale.update(finite)

        means = {
            name: term.mean(total, weights[name])
            for (name, term), total in zip(self.terms.items(), tf.unstack(sums))
        }
        logs = {
            **means,
            "loss": tf.add_n([means[name] for name in self.losses]),
            "grad_norm": norm,
            "learning_rate": rate,
            "loss_scale": scale,
        }
        return tf.stack([logs[name] for name in self.log_names]), stop

    def _batch_gradients(self, inputs, targets, weights, seed, scale):
        """Gradients of this replica's part of the batch, micro-batch by micro-batch, added up."""
        count = self.accumulate_steps
        if count == 1:
            return self._micro_gradients(inputs, targets, weights, seed, scale)

        def cut(x):
            return tf.reshape(x, [count, x.shape[0] // count, *x.shape[1:]])

        pieces = tf.nest.map_structure(cut, (inputs, targets))

        def micro_gradients(i):
            piece_inputs, piece_targets = tf.nest.map_structure(lambda x: x[i], pieces)
            piece_seed = tf.random.experimental.stateless_fold_in(seed, i)
            return self._micro_gradients(piece_inputs, piece_targets, weights, piece_seed, scale)

        def add(i, total):
            return i + 1, tf.nest.map_structure(tf.add, total, micro_gradients(i))

        _, total = tf.while_loop(
            lambda i, total: i < count,
            add,
            (1, micro_gradients(0)),
            maximum_iterations=count - 1,
        )
        return total

    def _micro_gradients(self, inputs, targets, weights, seed, scale):
        with tf.GradientTape() as tape:
            with dropout_seed(seed), self._gelu():
                outputs = self.model(inputs, training=True)
            sums = {name: term.weighted_sum(outputs, targets) for name, term in self.terms.items()}
            loss = tf.add_n(
                [term.mean(sums[name], weights[name]) for name, term in self.losses.items()]
            )
            if scale is not None:
                loss *= scale
        variables = [raw_variable(v) for v in self.model.trainable_variables]
        gradients = tape.gradient(loss, variables)
        pairs = [(g, v) for g, v in zip(gradients, variables) if g is not None]
        self._variables_with_gradients = [v for _, v in pairs]
        rows = [row_squares(g) for g, _ in pairs]
        gradients = [tf.cast(tf.convert_to_tensor(g), tf.float32) for g, _ in pairs]
        return gradients, rows, tf.stack([sums[name] for name in self.terms])

    def _check_scope(self, variables, what):
        for variable in map(raw_variable, variables):
            if not self.strategy.extended.variable_created_in_scope(variable):
                raise ValueError(
                    f"The {what} must be constructed under `with strategy.scope():`. Received: "
                    f"{variable.name!r} made outside of it."
                )
