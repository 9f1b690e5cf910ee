"""Raw text -> masked, segmented records for pre-training."""
