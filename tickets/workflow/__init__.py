"""Verbs that change a ticket: filing, the actions of its process, messages, properties and timed sweeps."""
