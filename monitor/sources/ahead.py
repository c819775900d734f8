"""Reading the next batch while the last one is being stored: the network and the processor work at the same time."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

from monitor.sources.base import Batch

MANY = 200
"""Mails of a first batch from which on more are expected: an everyday poll starts no thread."""


def read_ahead(batches: Iterator[Batch]) -> Generator[Batch]:
    """Yield the batches in their order; while one is in use the next is read in a thread of its own, one at the most.

    Errors of the reading come where its batch would have come. Closing it early waits until the reading at hand is over:
    the source never serves two threads at once.
    """
    batch = next(batches, None)
    if batch is None:
        return
    if len(batch.mails) + batch.unrelated < MANY:
        yield batch
        yield from batches
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="reading ahead") as reader:
        while batch is not None:
            following = reader.submit(next, batches, None)
            yield batch
            batch = following.result()
