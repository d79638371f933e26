"""The queue on the server: addresses and connections, the SAQ-compatible queue, its scripts, the embedded server.

Nothing is imported here: whoever needs the embedded server alone must not pay for redis and saq (200 ms).
"""
