"""Keep Amazon's key of a buyer message beside its identity, so that a copy without the key hides it from no later one."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("key_hash", sa.BigInteger))
    # So far the identity of a message whose signed link was read is the hash of its key.
    op.execute("UPDATE message SET key_hash = identity WHERE kind = 'buyer_message' AND token_hash IS NOT NULL")
    op.create_index("message_key", "message", ["key_hash"])
    op.create_index("message_spoken_for", "message", ["spoken_for"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was made before the upgrade")
