"""featuresync: prove, on the wire, that SIP phones and SIP servers keep DND and call forwarding in step."""

__version__ = "0.1.0"
