"""Measure this engine against what else one would use, on the same model, draws, days and configurations."""
