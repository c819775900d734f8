"""An invented seller's mailbox, so that everything can be seen without a real one. Nobody in it exists."""

from monitor.sources.simulated.source import SimulatedSource

__all__ = ["SimulatedSource"]
