"""Signing in to Google and Microsoft mailboxes: `replyby login` gets a token, the worker keeps it alive."""
