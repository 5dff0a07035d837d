"""The requester of a ticket: their account, their administrative standing, and the links that guests use instead."""
