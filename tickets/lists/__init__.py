"""What the desk reads: queues in the order of an index, who else has a ticket open, history as sentences."""
