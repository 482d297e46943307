"""Ears, mouth, and what the agent may call."""
