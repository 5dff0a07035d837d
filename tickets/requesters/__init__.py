"""Who asks: their account, their administrative standing, and the links that let a guest in without an account."""
