"""Models behind HTTP: TensorFlow Serving's REST interface, and a page to try them on."""
