"""Which metrics a query uses and how, read from its text. Knows as much PromQL as our own queries need."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\{|\}|\(|\)|\[[^\]]*\]|[A-Za-z_:][A-Za-z0-9_:]*|[^\sA-Za-z_:]')
METRIC = re.compile(r"(?!group_)[a-z]+[_:][a-z0-9_:]*")
GROUPING = ("by", "without", "on", "ignoring", "group_left", "group_right")
DURATIONS = ("s", "ms", "m", "h", "d", "dthms", "dthhms", "dtdurations", "dtdurationms", "clocks")
COUNTING = ("increase", "rate", "irate", "resets", "changes")


@dataclass(frozen=True)
class Use:
    """One metric in a query; `inside`: the functions around it; `filters`: it only decides which samples remain."""

    metric: str
    inside: tuple[str, ...]
    filters: bool


def metrics_used(expr: str) -> Iterator[Use]:
    """Yield each use of a metric, from left to right."""
    functions: list[str] = []
    filtering: list[bool] = [False]
    tokens = TOKEN.findall(expr)
    skip_until = -1
    for index, token in enumerate(tokens):
        if index <= skip_until:
            continue
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token == "{":
            skip_until = tokens.index("}", index)
        elif token in GROUPING and following == "(":
            skip_until = tokens.index(")", index)
        elif token == "(":
            functions.append(_function_before(tokens, index))
            filtering.append(filtering[-1])
        elif token == ")":
            functions.pop()
            filtering.pop()
        elif token in ("and", "unless"):
            filtering[-1] = True
        elif token == "or":
            filtering[-1] = len(filtering) > 1 and filtering[-2]
        elif METRIC.fullmatch(token) and following != "(":
            yield Use(token, tuple(functions), filtering[-1])


def _function_before(tokens: list[str], index: int) -> str:
    """Return the name before an opening bracket, past a grouping: `sum by (le) (` is inside `sum`."""
    at = index - 1
    if at >= 0 and tokens[at] == ")":
        depth = 1
        at -= 1
        while depth:
            depth += {")": 1, "(": -1}.get(tokens[at], 0)
            at -= 1
        if tokens[at] not in GROUPING:
            return ""
        at -= 1
    name = tokens[at] if at >= 0 else ""
    return name if re.fullmatch(r"[a-z_]+", name) else ""


def misuse_of(expr: str, unit: str) -> list[str]:
    """Return what is wrong with the way a query uses its metrics."""
    problems = []
    for use in metrics_used(expr):
        if re.search(r"_(total|bucket|count|sum)$", use.metric) and not set(use.inside) & set(COUNTING):
            problems.append(f"{use.metric} is a counter and stands outside rate() and increase()")
        if use.filters or "count" in use.inside:
            continue
        seconds = use.metric.endswith("_seconds") or (
            use.metric.endswith("_seconds_bucket") and "histogram_quantile" in use.inside
        )
        if seconds and unit not in DURATIONS:
            problems.append(f"{use.metric} is in seconds and the unit “{unit}” is no duration")
        if use.metric.endswith("_timestamp_seconds") and "time()" not in expr.replace(" ", ""):
            problems.append(f"{use.metric} is an instant and time() is not subtracted")
    return problems
