"""Panels with the house's looks: solid colours, words for every state, legends where there is more than one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prometheus_model

from grafana.generator.thresholds import BLUE, GREY, NOTHING_WAITING_FROM

DATASOURCE = common_model.DataSourceRef(type_val="prometheus", uid="${datasource}")

AnyPanel: TypeAlias = stat.Panel | bargauge.Panel | table.Panel | timeseries.Panel
Panel = TypeVar("Panel", bound=AnyPanel)


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel; `kind` "instant" for the present value, "range" for a line, "table" for rows."""

    expr: str
    legend: str = ""
    kind: Literal["instant", "range", "table"] = "instant"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a panel stands on the grid of 24 columns."""

    x: int
    y: int
    w: int
    h: int


def build_stat(title: str, description: str, queries: Sequence[Query], unit: str = "short") -> stat.Panel:
    """Return big values on solid colours, one a query's series."""
    panel = stat.Panel().color_mode(common_model.BigValueColorMode.BACKGROUND_SOLID)
    panel = panel.graph_mode(common_model.BigValueGraphMode.NONE).justify_mode(common_model.BigValueJustifyMode.CENTER)
    panel = panel.text_mode(common_model.BigValueTextMode.VALUE_AND_NAME).wide_layout(True)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    panel = panel.orientation(common_model.VizOrientation.AUTO)
    return _fill(panel, title, description, queries, unit).mappings([no_data()]).no_value("NO DATA")


def build_bars(title: str, description: str, queries: Sequence[Query], unit: str = "short") -> bargauge.Panel:
    """Return horizontal bars, one a series, with the value in digits."""
    panel = bargauge.Panel().display_mode(common_model.BarGaugeDisplayMode.BASIC)
    panel = panel.orientation(common_model.VizOrientation.HORIZONTAL).show_unfilled(True)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    return _fill(panel, title, description, queries, unit).mappings([no_data()]).no_value("NO DATA").min(0)


def build_lines(title: str, description: str, queries: Sequence[Query], unit: str = "short") -> timeseries.Panel:
    """Return lines over time with a legend."""
    legend = common.VizLegendOptions().show_legend(True).placement(common_model.LegendPlacement.BOTTOM)
    legend = legend.display_mode(common_model.LegendDisplayMode.LIST).calcs([])
    tooltip = common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI)
    panel = timeseries.Panel().legend(legend).tooltip(tooltip.sort(common_model.SortOrder.DESCENDING))
    panel = panel.line_width(2).fill_opacity(10).show_points(common_model.VisibilityMode.AUTO)
    return _fill(panel, title, description, queries, unit).no_value("NO DATA")


def build_columns(title: str, description: str, queries: Sequence[Query], unit: str = "short") -> timeseries.Panel:
    """Return columns side by side over time: what happened in each interval."""
    panel = build_lines(title, description, queries, unit).draw_style(common_model.GraphDrawStyle.BARS)
    return panel.fill_opacity(90).line_width(0).show_points(common_model.VisibilityMode.NEVER)


def build_table(title: str, description: str, queries: Sequence[Query], unit: str = "short") -> table.Panel:
    """Return a table; several queries are merged by their labels."""
    panel = table.Panel().show_header(True).cell_height(common_model.TableCellHeight.SM).filterable(False)
    return _fill(panel, title, description, queries, unit).no_value("–")


def place(panel: Panel, number: int, where: Place) -> Panel:
    """Return the panel at its place; ids are given by hand, as the SDK gives none."""
    panel.id(number).grid_pos(model.GridPos(x=where.x, y=where.y, w=where.w, h=where.h))
    return panel


Section: TypeAlias = tuple[str, int, list[tuple[AnyPanel, Place]]]
"""A heading, how many rows the panels below it take, and the panels at their places below it."""


def colours(base: str, *steps: tuple[float, str]) -> dashboard.ThresholdsConfig:
    """Return thresholds: `base` below the first step."""
    values = [model.Threshold(value=None, color=base)]
    values += [model.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(values)


def colours_property(base: str, *steps: tuple[float, str]) -> model.DynamicConfigValue:
    """Return thresholds as an override's property."""
    return model.DynamicConfigValue(id_val="thresholds", value=colours(base, *steps).build())


def set_property(name: str, value: object) -> model.DynamicConfigValue:
    """Return one property of an override."""
    return model.DynamicConfigValue(id_val=name, value=value)


def fixed_colour(colour: str) -> list[model.DynamicConfigValue]:
    """Return one colour for a series, whatever its value."""
    return [model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})]


def no_data(text: str = "NO DATA") -> model.SpecialValueMap:
    """Return the mapping that keeps a dead worker from looking calm."""
    result = model.ValueMappingResult(text=text, color=GREY, index=0)
    return model.SpecialValueMap(
        options=model.DashboardSpecialValueMapOptions(match=model.SpecialValueMatch.NULL_AND_NAN, result=result)
    )


def nothing_waiting() -> model.RangeMap:
    """Return the mapping for a query made by `queries.with_nothing_waiting`."""
    result = model.ValueMappingResult(text="nothing waiting", color=BLUE, index=1)
    return model.RangeMap(options=model.DashboardRangeMapOptions(from_val=NOTHING_WAITING_FROM, to=None, result=result))


def words(**texts: tuple[str, str]) -> model.ValueMap:
    """Return a mapping from values (`_0`, `_1`) to a word and its colour."""
    return model.ValueMap(
        options={
            value.removeprefix("_"): model.ValueMappingResult(text=text, color=colour, index=number)
            for number, (value, (text, colour)) in enumerate(texts.items(), start=2)
        }
    )


def transform(name: str, **options: Any) -> model.DataTransformerConfig:
    """Return one of Grafana's transformations."""
    return model.DataTransformerConfig(id_val=name, options=options)


def _fill(panel: Panel, title: str, description: str, queries: Sequence[Query], unit: str) -> Panel:
    panel.title(title).description(description).datasource(DATASOURCE).unit(unit)
    for number, query in enumerate(queries):
        panel.with_target(_target(query, chr(ord("A") + number)))
    return panel


def _target(query: Query, ref: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(ref).datasource(DATASOURCE)
    target = target.range() if query.kind == "range" else target.instant()
    if query.kind == "table":
        return target.format(prometheus_model.PromQueryFormat.TABLE)
    return target.legend_format(query.legend)
