"""What a process file says, as frozen values: parsed from TOML, with the line of every mistake. Knows no rows."""
