"""Records of text -> an encoder, by masked LM and sentence order."""
