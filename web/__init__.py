"""Code that all faces share: stamped forms, refusals, file rows and downloads, rate limits, wording, template tags."""
