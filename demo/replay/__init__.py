"""Perform the demo's stories through the product's verbs, at the times that the stories say, with invented people and
files.

Nothing here writes a stage, an event or a clock directly; only verbs and sweeps do.
"""
