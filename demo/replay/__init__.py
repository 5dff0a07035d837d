"""Lets the stories happen: through the desk's verbs, at the times the stories say, with invented people and files.

Nothing here writes a stage, an event or a clock by itself.
"""
