"""Who hears, how, and whether it arrived. Knows nothing of mail."""
