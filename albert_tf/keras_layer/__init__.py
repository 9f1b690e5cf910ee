"""SavedModels in: one as a Keras layer, in both generations of Keras."""
