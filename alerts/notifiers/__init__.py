"""The code that reaches a receiver: one module a channel."""
