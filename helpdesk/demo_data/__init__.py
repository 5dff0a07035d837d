"""What the demo shows: an invented organisation, its people, and some weeks of support work.

`people` are who they are, `stories` what happened to each ticket, `replay` lets it happen: through the verbs, at the
times the stories say. Nothing here writes a stage, an event or a clock by itself.
"""
