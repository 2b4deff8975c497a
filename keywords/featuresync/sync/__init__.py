"""What is synchronised (the four features) and how it is written down on the wire. Pure."""
