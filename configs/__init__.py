"""Settings, personas and errors; imports nothing else of ours."""
