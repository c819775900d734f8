"""The history of the schema, one file a step, applied in one transaction."""
