"""Objects that read the data of the back office's pages for their templates."""
