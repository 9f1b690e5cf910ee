"""The training loop: steps on all devices, evaluation, state, progress."""
