"""What the pages of the back office show, gathered for their templates."""
