"""One function a job. Each opens its own transactions, and takes names and ids, so that another machine could run it."""
