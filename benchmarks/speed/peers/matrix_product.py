"""What the machine can do: a float32 matrix product of the feed-forward layer's shape."""

import statistics

import tensorflow as tf
from serve import seconds, serve

ROWS, IN, OUT = 4096, 768, 3072
x, kernel = tf.random.normal([ROWS, IN]), tf.random.normal([IN, OUT])


def gflops(repeat=5):
    """Billions of operations a second, the median of some products."""
    times = [seconds(lambda: tf.matmul(x, kernel)) for _ in range(repeat)]
    return 2e-9 * ROWS * IN * OUT / statistics.median(times)


serve({"gflops": gflops})
