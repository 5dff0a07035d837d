"""The embedded size on one laptop: `make demo` starts web, worker and scheduler with invented data.

`run` and `supervisor` start the processes, `stories` tell what happened to each ticket, `replay` lets it happen through
the verbs, `mailbox` shows every mail, `catalogue` shows every component. No part of it is installed in production.
"""
