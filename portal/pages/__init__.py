"""Functions and classes that read the data of the portal's pages for their templates."""
