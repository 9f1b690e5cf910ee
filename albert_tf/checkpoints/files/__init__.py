"""Files of known formats: what arrays and values a file holds; nothing about ALBERT."""
