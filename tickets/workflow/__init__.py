"""Changing a ticket: filing it, the actions of its process, what people say, its properties, what time does to it."""
