"""Let invented people work at a desk for weeks, at a clock that is moved, and compare what is stored afterwards with
what must be true.

Only verbs and sweeps change anything. Which one comes next is drawn at random, from a seed.
"""
