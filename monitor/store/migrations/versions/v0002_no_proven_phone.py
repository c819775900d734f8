"""Drop a table that nothing ever wrote to: which phones were proven is read from what people answered."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("proven_phone")


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was made before the upgrade")
