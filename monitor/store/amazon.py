"""Amazon's own figures, as read by SP-API or typed from Seller Central."""

from datetime import datetime

from sqlalchemy import Connection, insert

from monitor.store.schema import amazon_figure


def record_typed_figure(
    connection: Connection, account: str, marketplace: str, window_days: int, late_ratio: float, read_at: datetime
) -> None:
    """Store a figure that a person read in Seller Central; the newest one of a window counts."""
    connection.execute(
        insert(amazon_figure).values(
            account=account,
            marketplace=marketplace,
            window_days=window_days,
            late_ratio=late_ratio,
            read_at=read_at,
            source="typed",
        )
    )
