"""Articles and internal procedures, the search that finds them, and what people say of them."""
