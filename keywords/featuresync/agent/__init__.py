"""The roles we play on the wire."""
