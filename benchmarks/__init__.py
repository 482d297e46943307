"""Benchmarks: printed figures, never pass or fail; each says its conditions."""
