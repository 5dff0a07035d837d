"""How the desk is doing: `runs` records periodic tasks, `requests` counts requests, `figures` reads the database,
`exposition` answers /metrics, `page` is «Salud» for supervisors.

docs/decisions/0030-figures-cost-little-and-strangers-get-none.md has the reasons.
"""
