"""Measures the pages that people wait for, on a database of tens or hundreds of thousands of tickets.

    python -m bench 10000              fill 10 000 tickets, print one table
    python -m bench 10000 100000       both sizes, measured in turns, and how one compares with the other

docs/performance.md explains the numbers. The database is one of the bench's own, beside the one that the settings
name; a second run goes on with it.
"""
