"""Measure the response times of the main pages, on a database with tens or hundreds of thousands of tickets.

    python -m bench 10000              make 10 000 tickets and print one table
    python -m bench 10000 100000       measure both sizes in alternating rounds and compare them

docs/performance.md explains the numbers. The bench uses databases of its own on the server that the settings name, and
uses them again in the next run.
"""
