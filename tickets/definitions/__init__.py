"""Parse process files (TOML) into frozen values and report each mistake with its line. Never reads the database."""
