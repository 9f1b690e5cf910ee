"""A pre-trained encoder and a task's data -> a fine-tuned model with its scores."""
