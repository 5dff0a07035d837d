"""What every face shares: stamped forms, refusals, file rows and downloads, rate limits, wording, template tags."""
