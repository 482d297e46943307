"""Traces: turns and requests as OpenTelemetry spans, which hold no word of a user's."""
