"""The original's optimizers, learning rates and weight decay."""
