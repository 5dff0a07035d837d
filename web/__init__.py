"""Code that `portal` and `agents` share: stamped forms, refusals, files, rate limits, wording, template tags."""
