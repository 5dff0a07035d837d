"""Queries for staff pages: queues, the page «Preparar», who else has a ticket open, and history as sentences."""
