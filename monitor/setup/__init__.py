"""From nothing to a running worker: the interview, the file it writes, the service, and the look at all that may be wrong.

Asks and shows through a `Dialogue` and reaches the world through `Probes`, both passed in.
"""
