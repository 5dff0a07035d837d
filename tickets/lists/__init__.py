"""What staff read: queues in the order of an index, who else has a ticket open, history as sentences."""
