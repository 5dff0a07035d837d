"""Facts for reports: the visits of stages, and what is counted for each day."""
