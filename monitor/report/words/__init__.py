"""The report's and the digest's words, one module a language: the same keys and the same placeholders in each."""
