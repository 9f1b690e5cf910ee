"""The kinds of checkpoints that can be read: one file each."""
