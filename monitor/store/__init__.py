"""What the worker remembers: SQLAlchemy Core over SQLite (default) or PostgreSQL (by address)."""
