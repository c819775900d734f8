"""The report's two pictures as PNG: the hours of the week, and twelve weeks against the goal.

Readable without colour: lightness carries the amount, misses carry numbers and hatching, the goal is a dashed line with
its name. Colours are from the Okabe-Ito palette. Drawn on figures of our own, never on matplotlib's shared state.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.report.model import Report
from monitor.report.wording import Wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEAT_MAP, TWELVE_WEEKS = "hours", "weeks"
_INK, _FAINT, _BLUE, _ORANGE = "#1c1c1c", "#6b6b6b", "#0072b2", "#d55e00"
_BLUES = ("#f4f7fa", "#cfe1ef", "#8fbcdb", "#3d8cc0", "#0b5a94", "#06304f")
_ORANGES = ("#faf6f3", "#f9d9c3", "#f0a878", "#d96a22", "#9c3c00", "#5c2300")
_DPI = 200
_NAME_WEEKS = 3  # how many weeks wide the goal's name is
_WIDTH_INCHES = 5.0  # at 360 points on a phone the 10 point text is still 7 high


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One PNG with what it shows in words."""

    name: str
    title: str
    alt: str
    png: bytes


def draw_pictures(report: Report, words: Wording) -> tuple[Picture, ...]:
    """Return the heat map and the twelve weeks."""
    return (
        Picture(name=HEAT_MAP, title=words.say("hours"), alt=heat_map_alt(report, words), png=_heat_map(report, words)),
        Picture(name=TWELVE_WEEKS, title=words.say("weeks"), alt=weeks_alt(report, words), png=_weeks(report, words)),
    )


def heat_map_alt(report: Report, words: Wording) -> str:
    """Return in words where the heat map is darkest."""
    heat = report.heat
    return words.say(
        "hours_alt",
        weeks=heat.weeks,
        arrivals=_darkest(heat.arrivals, words),
        replies=_darkest(heat.replies, words),
        breaches=_darkest(heat.breaches, words),
    )


def weeks_alt(report: Report, words: Wording) -> str:
    """Return the twelve rates in words; weeks without any are left out."""
    items = [
        words.say("weeks_item", number=compared.week.number, rate=words.percent(compared.figures.response_rate))
        for compared in report.weeks
        if compared.figures.response_rate is not None
    ]
    return words.say("weeks_alt", goal=words.percent(report.settings.goal), list=", ".join(items) or "–")


def _darkest(counts: Sequence[int], words: Wording) -> str:
    most = max(counts)
    if not most:
        return words.say("never")
    day, hour = divmod(counts.index(most), 24)
    return words.say("hours_cell", day=words.weekday_in_full(day), hour=f"{hour:02d}")


def _heat_map(report: Report, words: Wording) -> bytes:
    figure = _new_figure(6.4)
    heat = report.heat
    panels = ((heat.arrivals, "hours_arrivals", _BLUES), (heat.replies, "hours_replies", _BLUES))
    axes = figure.subplots(3, 1, sharex=True)
    for place, (counts, key, colours) in zip(axes, panels, strict=False):
        _draw_week(place, counts, max(*counts, 1), colours, words)
        place.set_title(words.say(key), loc="left", fontsize=10, fontweight="bold", color=_INK)
        _outline(place, heat.staffed)
    _draw_week(axes[2], heat.breaches, max(*heat.breaches, 1), _ORANGES, words, numbers=True)
    axes[2].set_title(words.say("hours_breaches"), loc="left", fontsize=10, fontweight="bold", color=_INK)
    _outline(axes[2], heat.staffed)
    for place in axes:
        total = words.say("hours_sum", weeks=heat.weeks)
        place.set_title(total, loc="right", fontsize=8, color=_FAINT)
    axes[2].set_xticks(range(0, 25, 3), [f"{hour:02d}" for hour in range(0, 25, 3)])
    axes[2].set_xlabel(words.say("hours_staffed"), fontsize=8.5, color=_FAINT)
    return _png(figure)


def _draw_week(
    axes: Axes, counts: Sequence[int], most: int, colours: Sequence[str], words: Wording, *, numbers: bool = False
) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    rows = [counts[day * 24 : day * 24 + 24] for day in range(7)]
    shades = LinearSegmentedColormap.from_list("shades", list(colours))
    axes.pcolormesh(range(25), range(8), rows, cmap=shades, vmin=0, vmax=most, edgecolors="white", linewidth=0.6)
    axes.set_ylim(7, 0)
    axes.set_xlim(-0.05, 24.05)
    axes.set_yticks([day + 0.5 for day in range(7)], words.weekday_names())
    axes.tick_params(length=0, labelsize=8.5, colors=_INK)
    for side in axes.spines.values():
        side.set_visible(False)
    if not numbers:
        return
    for cell, count in enumerate(counts):
        if count:
            day, hour = divmod(cell, 24)
            colour = "white" if count > most * 0.55 else _INK
            axes.text(hour + 0.5, day + 0.53, str(count), ha="center", va="center", fontsize=6.5, color=colour)


def _outline(axes: Axes, staffed: Sequence[bool]) -> None:
    """Draw a line wherever staffed and unstaffed hours meet."""

    def is_staffed(day: int, hour: int) -> bool:
        return 0 <= day < 7 and 0 <= hour < 24 and staffed[day * 24 + hour]

    lines = []
    for day in range(8):
        for hour in range(25):
            here = is_staffed(day, hour)
            if here != is_staffed(day - 1, hour):
                lines.append(([hour, hour + 1], [day, day]))
            if here != is_staffed(day, hour - 1):
                lines.append(([hour, hour], [day, day + 1]))
    for across, down in lines:
        axes.plot(across, down, color=_INK, linewidth=1.1, solid_capstyle="projecting", clip_on=False)


def _weeks(report: Report, words: Wording) -> bytes:
    figure = _new_figure(3.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.3))
    places = range(len(report.weeks))
    goal = report.settings.goal * 100
    rates = [
        (n, w.figures.response_rate * 100) for n, w in enumerate(report.weeks) if w.figures.response_rate is not None
    ]
    above.axhline(goal, color=_INK, linewidth=1.2, linestyle=(0, (5, 3)))
    above.plot([n for n, _ in rates], [rate for _, rate in rates], color=_FAINT, linewidth=1.2, zorder=2)
    for marker, colour, met in (("o", _BLUE, True), ("v", _ORANGE, False)):
        shown = [(n, rate) for n, rate in rates if (rate >= goal) is met]
        above.plot([n for n, _ in shown], [rate for _, rate in shown], marker, color=colour, markersize=7, zorder=3)
    lowest = min([goal, *(rate for _, rate in rates)])
    floor = max(0.0, (lowest - 3) // 5 * 5)
    span = 100 - floor
    above.set_ylim(floor, 100 + span * 0.14)
    above.set_yticks([tick for tick in range(0, 101, 5 if span <= 25 else 10 if span <= 50 else 20) if tick >= floor])
    goal_words = words.say("weeks_goal", goal=words.percent(report.settings.goal))
    above.text(_free_place(rates, goal), goal - span * 0.025, goal_words, fontsize=8.5, color=_INK, va="top")
    _name_rates(above, report, rates, span * 0.055, words)
    above.set_title(words.say("weeks_rate"), loc="left", fontsize=10, fontweight="bold", color=_INK)
    above.yaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
    above.grid(axis="y", color="#e4e4e4", linewidth=0.7)
    below.bar(places, [w.figures.received for w in report.weeks], color="#cfe1ef", edgecolor=_BLUE, linewidth=0.6)
    below.bar(
        places, [w.figures.missed for w in report.weeks], color=_ORANGE, hatch="////", edgecolor=_INK, linewidth=0.6
    )
    for n, compared in enumerate(report.weeks):
        if compared.figures.missed:
            below.text(n, compared.figures.missed, str(compared.figures.missed), ha="center", va="bottom", fontsize=7.5)
    below.set_title(words.say("weeks_received"), loc="left", fontsize=10, fontweight="bold", color=_INK)
    below.set_title(f"▨ {words.say('weeks_missed')}", loc="right", fontsize=8, color=_ORANGE)
    below.set_xticks(places, [words.say("week_short", number=w.week.number) for w in report.weeks])
    below.set_xlim(-0.6, len(report.weeks) - 0.4)
    below.yaxis.get_major_locator().set_params(integer=True, nbins=3)
    for axes in (above, below):
        axes.tick_params(length=0, labelsize=8, colors=_INK)
        axes.set_axisbelow(True)
        for side in axes.spines.values():
            side.set_visible(False)
    return _png(figure)


def _free_place(rates: Sequence[tuple[int, float]], goal: float) -> float:
    """Return where the goal's name has room below its line: the first stretch of weeks that all lie above it."""
    below = {n for n, rate in rates if rate < goal + 0.5}
    starts = range(max(1, len(rates) - _NAME_WEEKS + 1))
    return next((n for n in starts if below.isdisjoint(range(n - 1, n + _NAME_WEEKS + 1))), 0) - 0.5


def _name_rates(
    axes: Axes, report: Report, rates: Sequence[tuple[int, float]], distance: float, words: Wording
) -> None:
    """Write the last rate above its point and the lowest below its own."""
    if not rates:
        return
    last, lowest = rates[-1], min(rates, key=lambda item: item[1])
    for n, rate in {last, lowest}:
        under = (n, rate) == lowest and lowest != last
        axes.text(
            n,
            rate + (-distance if under else distance),
            words.percent(report.weeks[n].figures.response_rate),
            ha="right" if n == len(report.weeks) - 1 and not under else "center",
            va="top" if under else "bottom",
            fontsize=9,
            fontweight="bold",
            color=_INK,
        )


def _new_figure(height_inches: float) -> Figure:
    # Imported here: matplotlib takes longer to load than `replyby --help` may take.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_INCHES, height_inches), dpi=_DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Figure) -> bytes:
    written = io.BytesIO()
    # Without the library's name and version the same report gives the same bytes.
    figure.savefig(written, format="png", metadata={"Software": None}, pil_kwargs={"optimize": True})
    return written.getvalue()
