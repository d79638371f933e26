"""The record: what outlives a job. Run history, failed jobs, signatures, counts a minute, and their archive."""

from quarterdeck.record.entry import (
    FailedJob,
    HistoryEntry,
    SignatureRow,
    arguments_text,
    decode_failed,
    decode_history,
    decode_signature,
    encode_failed,
    encode_history,
    error_line,
    signature_row,
)
from quarterdeck.record.histogram import bucket_of, merged, middle_of, percentile
from quarterdeck.record.predicate import argument_holds
from quarterdeck.record.signature import Signature, normalise, signature_of, signature_of_text

__all__ = [
    "FailedJob",
    "HistoryEntry",
    "Signature",
    "SignatureRow",
    "argument_holds",
    "arguments_text",
    "bucket_of",
    "decode_failed",
    "decode_history",
    "decode_signature",
    "encode_failed",
    "encode_history",
    "error_line",
    "merged",
    "middle_of",
    "normalise",
    "percentile",
    "signature_of",
    "signature_of_text",
    "signature_row",
]
