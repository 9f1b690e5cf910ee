"""The kinds of checkpoints that can be written: one file each."""
