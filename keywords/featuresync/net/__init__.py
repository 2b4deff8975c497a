"""The only sockets and the only clock; one tap records every message with its true transport."""
