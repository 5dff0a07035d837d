"""Measure the response times of the main pages, on a database with tens of thousands to a million tickets.

    python -m bench 10000                          make 10 000 tickets and print one table
    python -m bench 10000 100000 1000000           measure the sizes in alternating rounds and compare them
    python -m bench 10000 --server gthread:2x8,sync:2      compare settings of the web server

docs/performance.md explains the numbers. The bench uses databases of its own on the server that the settings name, and
uses them again in the next run.
"""
