"""The invented help centre: one Markdown file for each article and language, with its card above the line `---`."""
