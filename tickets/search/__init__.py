"""Search tickets by words, and sort them by the answers to their own fields."""
