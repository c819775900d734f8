"""SP-API, as the tests of its pure parts see it."""
