"""Pure SIP: bytes and the time go in; bytes, events and the next deadline come out. No socket, no clock."""
