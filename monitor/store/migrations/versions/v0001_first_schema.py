"""The first schema: messages, threads, clocks, decisions, and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('amazon_figure',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('marketplace', sa.String(length=8), nullable=False),
    sa.Column('window_days', sa.Integer(), nullable=False),
    sa.Column('late_ratio', sa.Float(precision=53), nullable=True),
    sa.Column('average_response_seconds', sa.Float(precision=53), nullable=True),
    sa.Column('read_at', sa.BigInteger(), nullable=False),
    sa.Column('source', sa.String(length=24), nullable=False),
    sa.Column('body', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('amazon_figure_read', 'amazon_figure', ['account', 'read_at'], unique=False)
    op.create_table('amazon_task',
    sa.Column('key', sa.String(length=160), nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('next_at', sa.BigInteger(), nullable=True),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('body', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_table('bad_mail',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('mailbox', sa.String(length=64), nullable=False),
    sa.Column('folder', sa.String(length=255), nullable=False),
    sa.Column('uid', sa.BigInteger(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('decision',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('thread_id', sa.BigInteger(), nullable=True),
    sa.Column('clock_id', sa.BigInteger(), nullable=True),
    sa.Column('message_id', sa.BigInteger(), nullable=True),
    sa.Column('by', sa.String(length=80), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('made_at', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=True),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('revoked_at', sa.BigInteger(), nullable=True),
    sa.Column('revoked_by', sa.String(length=80), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('decision_made', 'decision', ['made_at'], unique=False)
    op.create_index('decision_message', 'decision', ['message_id'], unique=False)
    op.create_index('decision_thread', 'decision', ['thread_id'], unique=False)
    op.create_table('evidence',
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('marketplace', sa.String(length=8), nullable=False),
    sa.Column('evidence', sa.String(length=24), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('last_seen_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'marketplace', 'evidence')
    )
    op.create_table('folder_cursor',
    sa.Column('mailbox', sa.String(length=64), nullable=False),
    sa.Column('folder', sa.String(length=255), nullable=False),
    sa.Column('uidvalidity', sa.BigInteger(), nullable=False),
    sa.Column('last_uid', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('mailbox', 'folder')
    )
    op.create_table('frozen_policy',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('digest')
    )
    op.create_table('mailbox_health',
    sa.Column('mailbox', sa.String(length=64), nullable=False),
    sa.Column('last_success_at', sa.BigInteger(), nullable=True),
    sa.Column('failing_since', sa.BigInteger(), nullable=True),
    sa.Column('trouble', sa.Text(), nullable=True),
    sa.Column('reason', sa.String(length=16), nullable=True),
    sa.Column('told_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('mailbox')
    )
    op.create_table('mailbox_outage',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('mailbox', sa.String(length=64), nullable=False),
    sa.Column('from_at', sa.BigInteger(), nullable=False),
    sa.Column('to_at', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('mark',
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('detail', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('message',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('identity', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('accounts', sa.Text(), nullable=True),
    sa.Column('marketplace', sa.String(length=8), nullable=True),
    sa.Column('mailbox', sa.String(length=64), nullable=False),
    sa.Column('place', sa.String(length=8), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.Column('authenticity', sa.String(length=8), nullable=False),
    sa.Column('trusted', sa.Boolean(), nullable=False),
    sa.Column('excluded', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('spoken_for', sa.BigInteger(), nullable=True),
    sa.Column('alias_hash', sa.BigInteger(), nullable=True),
    sa.Column('suffix_hash', sa.BigInteger(), nullable=True),
    sa.Column('order_hash', sa.BigInteger(), nullable=True),
    sa.Column('token_hash', sa.BigInteger(), nullable=True),
    sa.Column('name_hash', sa.BigInteger(), nullable=True),
    sa.Column('rfc_hash', sa.BigInteger(), nullable=True),
    sa.Column('digest_hash', sa.BigInteger(), nullable=True),
    sa.Column('reference_hashes', sa.Text(), nullable=True),
    sa.Column('refused_at', sa.BigInteger(), nullable=True),
    sa.Column('notice_type', sa.String(length=80), nullable=True),
    sa.Column('labels', sa.Text(), server_default='', nullable=False),
    sa.Column('priority', sa.Integer(), server_default='0', nullable=False),
    sa.Column('language', sa.String(length=16), nullable=True),
    sa.Column('signals', sa.Text(), server_default='', nullable=False),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('thread_id', sa.BigInteger(), nullable=True),
    sa.Column('target_seconds', sa.Integer(), nullable=True),
    sa.Column('answered_at', sa.BigInteger(), nullable=True),
    sa.Column('by_hand', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('waived_at', sa.BigInteger(), nullable=True),
    sa.Column('counted', sa.String(length=16), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('identity'),
    sqlite_autoincrement=True
    )
    op.create_index('message_alias', 'message', ['alias_hash'], unique=False)
    op.create_index('message_digest', 'message', ['digest_hash'], unique=False)
    op.create_index('message_name', 'message', ['name_hash'], unique=False)
    op.create_index('message_order', 'message', ['order_hash'], unique=False)
    op.create_index('message_received', 'message', ['kind', 'received_at'], unique=False)
    op.create_index('message_rfc', 'message', ['rfc_hash'], unique=False)
    op.create_index('message_thread', 'message', ['thread_id'], unique=False)
    op.create_index('message_token', 'message', ['token_hash'], unique=False)
    op.create_table('order_fact',
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('order_hash', sa.BigInteger(), nullable=False),
    sa.Column('fetched_at', sa.BigInteger(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'order_hash')
    )
    op.create_table('proven_phone',
    sa.Column('phone_hash', sa.BigInteger(), nullable=False),
    sa.Column('person', sa.String(length=80), nullable=False),
    sa.Column('proven_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('phone_hash')
    )
    op.create_table('review',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('marketplace', sa.String(length=8), nullable=True),
    sa.Column('message_id', sa.BigInteger(), nullable=True),
    sa.Column('order_id', sa.String(length=32), nullable=True),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('threads', sa.Text(), server_default='', nullable=False),
    sa.Column('count', sa.Integer(), server_default='1', nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('settled_at', sa.BigInteger(), nullable=True),
    sa.Column('settled_by', sa.String(length=80), nullable=True),
    sa.Column('decision', sa.String(length=40), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key')
    )
    op.create_index('review_open', 'review', ['account'], unique=False, sqlite_where=sa.text('settled_at IS NULL'), postgresql_where=sa.text('settled_at IS NULL'))
    op.create_table('silence',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('matcher', sa.Text(), nullable=False),
    sa.Column('author', sa.String(length=80), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('starts_at', sa.BigInteger(), nullable=False),
    sa.Column('ends_at', sa.BigInteger(), nullable=False),
    sa.Column('expired_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('tally',
    sa.Column('name', sa.String(length=48), nullable=False),
    sa.Column('labels', sa.String(length=255), nullable=False),
    sa.Column('value', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('name', 'labels')
    )
    op.create_table('thread',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('marketplace', sa.String(length=8), nullable=True),
    sa.Column('order_id', sa.String(length=32), nullable=True),
    sa.Column('asin', sa.String(length=16), nullable=True),
    sa.Column('alias', sa.String(length=128), nullable=True),
    sa.Column('reply_address', sa.String(length=192), nullable=True),
    sa.Column('seller_central_url', sa.Text(), nullable=True),
    sa.Column('no_response_url', sa.Text(), nullable=True),
    sa.Column('order_hash', sa.BigInteger(), nullable=True),
    sa.Column('alias_hash', sa.BigInteger(), nullable=True),
    sa.Column('labels', sa.Text(), server_default='', nullable=False),
    sa.Column('priority', sa.Integer(), server_default='0', nullable=False),
    sa.Column('language', sa.String(length=16), nullable=True),
    sa.Column('place', sa.String(length=8), nullable=False),
    sa.Column('revision', sa.Integer(), server_default='0', nullable=False),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('erased_at', sa.BigInteger(), nullable=True),
    sa.Column('merged_into', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('thread_alias', 'thread', ['alias_hash'], unique=False)
    op.create_index('thread_closed', 'thread', ['closed_at'], unique=False)
    op.create_index('thread_order', 'thread', ['order_hash'], unique=False)
    op.create_index('thread_order_id', 'thread', ['order_id'], unique=False)
    op.create_table('sla_clock',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('thread_id', sa.BigInteger(), nullable=False),
    sa.Column('start_message_id', sa.BigInteger(), nullable=False),
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('marketplace', sa.String(length=8), nullable=True),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('target_seconds', sa.Integer(), nullable=False),
    sa.Column('deadline_at', sa.BigInteger(), nullable=False),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.Column('first', sa.Boolean(), nullable=False),
    sa.Column('verified', sa.Boolean(), nullable=False),
    sa.Column('backlog', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('answered_at', sa.BigInteger(), nullable=True),
    sa.Column('answered_route', sa.String(length=16), nullable=True),
    sa.Column('answered_by', sa.String(length=80), nullable=True),
    sa.Column('waived_at', sa.BigInteger(), nullable=True),
    sa.Column('waived_by', sa.String(length=80), nullable=True),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('counted', sa.String(length=32), server_default='', nullable=False),
    sa.Column('policy_id', sa.BigInteger(), nullable=False),
    sa.Column('step_reached', sa.Integer(), server_default='-1', nullable=False),
    sa.Column('occurrence', sa.Integer(), server_default='0', nullable=False),
    sa.Column('told_at', sa.BigInteger(), nullable=True),
    sa.Column('look_ahead_told_until', sa.BigInteger(), nullable=True),
    sa.Column('reopened_count', sa.Integer(), server_default='0', nullable=False),
    sa.Column('reopened_told', sa.Integer(), server_default='0', nullable=False),
    sa.Column('phones_held', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('acknowledged_by', sa.String(length=80), nullable=True),
    sa.Column('acknowledged_at', sa.BigInteger(), nullable=True),
    sa.Column('acknowledgement_expires_at', sa.BigInteger(), nullable=True),
    sa.Column('snoozed_until', sa.BigInteger(), nullable=True),
    sa.Column('next_due_at', sa.BigInteger(), nullable=True),
    sa.Column('shown_state', sa.String(length=16), nullable=True),
    sa.ForeignKeyConstraint(['policy_id'], ['frozen_policy.id'], ),
    sa.ForeignKeyConstraint(['thread_id'], ['thread.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('sla_clock_due', 'sla_clock', ['next_due_at'], unique=False, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
    op.create_index('sla_clock_open', 'sla_clock', ['account', 'marketplace', 'deadline_at'], unique=False, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
    op.create_index('sla_clock_open_deadline', 'sla_clock', ['deadline_at'], unique=False, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
    op.create_index('sla_clock_thread', 'sla_clock', ['thread_id'], unique=False)

    op.create_table('answer_event',
    sa.Column('event_id', sa.String(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_answer_event'))
    )
    op.create_table('delivery',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reference', sa.String(length=32), nullable=False),
    sa.Column('slot', sa.String(), nullable=True),
    sa.Column('owner', sa.String(length=32), nullable=False),
    sa.Column('purpose', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('receiver', sa.String(), nullable=False),
    sa.Column('person', sa.String(), nullable=True),
    sa.Column('whom', sa.String(), nullable=False),
    sa.Column('page', sa.Boolean(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('code', sa.Integer(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('lookups', sa.Integer(), nullable=False),
    sa.Column('intent_at', sa.BigInteger(), nullable=False),
    sa.Column('next_attempt_at', sa.BigInteger(), nullable=False),
    sa.Column('sent_at', sa.BigInteger(), nullable=True),
    sa.Column('check_at', sa.BigInteger(), nullable=True),
    sa.Column('checks', sa.Integer(), nullable=False),
    sa.Column('delivered_at', sa.BigInteger(), nullable=True),
    sa.Column('provider_id', sa.String(), nullable=True),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('reference', name=op.f('uq_delivery_reference')),
    sa.UniqueConstraint('slot', name=op.f('uq_delivery_slot'))
    )
    op.create_index(op.f('ix_delivery_channel_whom_intent_at'), 'delivery', ['channel', 'whom', 'intent_at'], unique=False)
    op.create_index(op.f('ix_delivery_check_at'), 'delivery', ['check_at'], unique=False)
    op.create_index(op.f('ix_delivery_status_next_attempt_at'), 'delivery', ['status', 'next_attempt_at'], unique=False)
    op.create_table('post',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('thread_id', sa.BigInteger(), nullable=False),
    sa.Column('receiver', sa.String(), nullable=False),
    sa.Column('post_channel', sa.String(), nullable=False),
    sa.Column('post_message', sa.String(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_post')),
    sa.UniqueConstraint('channel', 'place', 'thread_id', name=op.f('uq_post_channel_place_thread_id'))
    )
    op.create_index(op.f('ix_post_thread_id'), 'post', ['thread_id'], unique=False)
    op.create_table('notification',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('family', sa.String(), nullable=False),
    sa.Column('purpose', sa.String(), nullable=False),
    sa.Column('receiver', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('person', sa.String(), nullable=True),
    sa.Column('whom', sa.String(), nullable=False),
    sa.Column('slot', sa.String(), nullable=False),
    sa.Column('thread_id', sa.BigInteger(), nullable=True),
    sa.Column('clock_id', sa.BigInteger(), nullable=True),
    sa.Column('step', sa.Integer(), nullable=True),
    sa.Column('occurrence', sa.Integer(), nullable=False),
    sa.Column('page', sa.Boolean(), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('next_attempt_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=True),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('delivery_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('content', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], name=op.f('fk_notification_delivery_id_delivery')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notification')),
    sa.UniqueConstraint('key', name=op.f('uq_notification_key'))
    )
    op.create_index(op.f('ix_notification_channel_status_rank_due_at'), 'notification', ['channel', 'status', 'rank', 'due_at'], unique=False)
    op.create_index(op.f('ix_notification_clock_id'), 'notification', ['clock_id'], unique=False)
    op.create_index(op.f('ix_notification_delivery_id'), 'notification', ['delivery_id'], unique=False)
    op.create_index(op.f('ix_notification_family'), 'notification', ['family'], unique=False)
    op.create_index(op.f('ix_notification_slot_status_next_attempt_at'), 'notification', ['slot', 'status', 'next_attempt_at'], unique=False)
    op.create_index(op.f('ix_notification_status_next_attempt_at'), 'notification', ['status', 'next_attempt_at'], unique=False)
    op.create_index(op.f('ix_notification_thread_id'), 'notification', ['thread_id'], unique=False)
    op.create_table('reply_code',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person', sa.String(), nullable=False),
    sa.Column('code', sa.Integer(), nullable=False),
    sa.Column('delivery_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('issued_at', sa.BigInteger(), nullable=False),
    sa.Column('freed_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], name=op.f('fk_reply_code_delivery_id_delivery')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reply_code'))
    )
    op.create_index(op.f('ix_reply_code_delivery_id'), 'reply_code', ['delivery_id'], unique=False)
    op.create_index('uq_reply_code_in_use', 'reply_code', ['person', 'code'], unique=True, sqlite_where=sa.text('freed_at IS NULL'), postgresql_where=sa.text('freed_at IS NULL'))


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was made before the upgrade")
