"""The demo: `make demo` starts web, worker and scheduler of the embedded size on one machine, with invented data.

`run` and `supervisor` start the processes, `stories` describe what happened to each ticket, `replay` performs the
stories through the verbs, `mailbox` shows every mail, and `catalogue` shows every component. None of it is installed
in production.
"""
