"""Requirements as data, each with a function over the trace, and the verdicts that follow. Pure."""
