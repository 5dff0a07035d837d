"""What the pages of the portal show, gathered for their templates."""
