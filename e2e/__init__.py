"""Journeys through the running product: in a browser, and through the processes of the production size."""
