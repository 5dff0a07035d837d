"""Changes of the desk's calendars: what a change would do, and the job that recomputes the clocks (S2.33, S2.34).

`proposing` makes drafts, `counting` says what they would do, `applying` puts them into force, `job` goes on with either
in batches.
"""
