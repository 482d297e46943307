"""Engines: speech, chat and embeddings; knows nothing of conversations or storage."""
