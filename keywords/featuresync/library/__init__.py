"""Robot Framework keywords: thin, typed."""
