"""Where training runs: one device, several devices, several machines, a TPU."""

import json
import os

import tensorflow as tf

STRATEGIES = ("one", "mirrored", "multiworker", "tpu")


def make_strategy(name="one", tpu=""):
    """The tf.distribute strategy of that name. Call it before any other TensorFlow operation.

    Args:
      name: "one" for the first GPU, or the CPU if there is none; "mirrored" for all GPUs of this
        machine (or all logical CPU devices); "multiworker" for the machines that the environment
        variable TF_CONFIG lists, each running this same program; "tpu".
      tpu: For "tpu": name or address of the TPU; "" for the one that the environment names.

    Returns:
      A tf.distribute.Strategy. Construct model and optimizer under `strategy.scope()`.

    Raises:
      ValueError: The name is unknown, or TF_CONFIG is missing or malformed.

    Example:

    >>> from albert_tf.training.engine.strategy import make_strategy
    >>> make_strategy("one").num_replicas_in_sync
    1
    """
    if name == "one":
        return tf.distribute.OneDeviceStrategy(_devices()[0])
    if name == "mirrored":
        return tf.distribute.MirroredStrategy(_devices())
    if name == "multiworker":
        _check_tf_config()
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=tpu)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    raise ValueError(f"`strategy` must be one of {', '.join(STRATEGIES)}. Received: {name!r}.")


def is_chief(strategy):
    """Whether this process is the one that writes files. True unless there are several."""
    resolver = strategy.cluster_resolver
    if resolver is None or num_workers(strategy) == 1:
        return True
    task_type, task_id = resolver.task_type, resolver.task_id
    if task_type in (None, "chief"):
        return True
    return task_type == "worker" and task_id == 0 and "chief" not in resolver.cluster_spec().jobs


def num_workers(strategy):
    """The number of processes that train together and each run this program."""
    return getattr(strategy.extended, "_num_workers", 1) if _is_multi_worker(strategy) else 1


def _is_multi_worker(strategy):
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def _devices():
    for kind in ("GPU", "CPU"):
        if devices := tf.config.list_logical_devices(kind):
            return [device.name for device in devices]
    raise ValueError("TensorFlow must see a device. Received: none.")


def _check_tf_config():
    rule = (
        "The multiworker strategy needs the environment variable TF_CONFIG on every machine, such "
        'as {"cluster": {"worker": ["host1:12345", "host2:12345"]}, "task": {"type": "worker", '
        '"index": 0}}.'
    )
    value = os.environ.get("TF_CONFIG")
    if not value:
        raise ValueError(f"{rule} Received: none.")
    try:
        config = json.loads(value)
        workers, task = config["cluster"]["worker"], config["task"]
        index = int(task["index"])
    except (json.JSONDecodeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{rule} Received: {value!r}.") from None
    if task.get("type") == "worker" and not 0 <= index < len(workers):
        raise ValueError(f"{rule} Received: index {index} of {len(workers)} workers.")
