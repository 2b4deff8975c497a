"""The world around the device under test, made safe: admin, state, journal, the lab of real servers."""
