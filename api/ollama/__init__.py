"""The door for Ollama's clients: /api, in Ollama's shapes."""
