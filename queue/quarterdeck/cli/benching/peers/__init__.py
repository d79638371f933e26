"""The contenders, one file a library: `python -m quarterdeck.cli.benching.peers.<file> ROLE`, told by `load.py`.

Each offers what it can of four roles: `fill` a queue, `work` on it, `enqueue` against the clock, and `roundtrip`.
They run in processes of their own, so that no library's event loop, imports or threads weigh on another's.
"""
