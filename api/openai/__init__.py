"""The door for OpenAI's clients: /v1, in OpenAI's shapes."""
