"""Amazon's Selling Partner API: what it is asked, and what its answers say. Read only; never a buyer's data.

The client speaks through python-amazon-sp-api and turns whatever goes wrong into one `AmazonError`. It stores nothing, waits
for nothing and repeats nothing but a call whose token had expired: when to call again is a stored instant of the jobs.
"""

import os

REDIRECTING = ("SP_API_DEFAULT_MARKETPLACE", "SP_API_AUTH_CACHE_SIZE", "SP_API_AUTH_CACHE_TTL", "AWS_ENV")
"""Variables that the library reads when it is imported or built, and fails or redirects calls by; nobody else here does."""


def clear_redirections() -> None:
    """Take these variables out of this process's environment: before the library is imported, and before it is built."""
    for name in REDIRECTING:
        os.environ.pop(name, None)


clear_redirections()  # every module of this room is imported after this one, and so is the library
