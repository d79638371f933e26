"""The HTTP API: the snapshot as JSON and as metrics, and the operator's acts for those who have a token."""
