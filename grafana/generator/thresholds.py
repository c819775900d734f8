"""The one place for every number at which a colour changes or a rule fires, and for the colours themselves.

The defaults of [sla] stand here; the tests hold the alert rules in grafana/prometheus/rules and the worker's own
defaults against them. Whoever sets another goal or at_risk changes it here, runs the generator, and edits the rules.
"""

HOUR = 3600

GOAL = 0.90
AT_RISK_SECONDS = 4 * HOUR
NOBODY_HAS_IT_SECONDS = 2 * HOUR
"""From this time remaining somebody should have the next thread: the step at which the default policy pages."""

TARGET_SECONDS = 24 * HOUR
DIFFERENCE = 0.05
"""By how much Amazon's figure and ours may differ."""

MAILBOX_LATE_SECONDS = 5 * 60
MAILBOX_BLIND_SECONDS = 15 * 60
CYCLE_STALE_SECONDS = 5 * 60
OUTBOX_OLD_SECONDS = 5 * 60
REVIEW_OLD = "1d"

FAST_BURN = 6.0
SLOW_BURN = 2.0
"""Multiples of the share of late replies that the goal allows; with a goal of 90 % no more than 10 is possible."""

LEAST_EVENTS = 5
LEAST_JUDGED = 10
"""Fewer clocks or messages than this make no rate."""

NOTHING_WAITING = 1e9
NOTHING_WAITING_FROM = 1e8
"""What the countdown's query returns when nothing waits: longer than any deadline, recognised by a value mapping."""

BLUE = "#0072B2"
BROWN = "#9A6700"
RED = "#A40E26"
GREY = "#5A6069"
NEUTRAL = "#3A4048"
LIGHT = "#AEB6C2"
"""Blue, brown and red stay apart for colour-blind people and carry white text; grey: NO DATA; neutral: a plain zero.

Light is for lines on the dark background.
"""
