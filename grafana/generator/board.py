"""What both dashboards have: the choice of data source and account, and marks for deadlines that passed."""

from grafana_foundation_sdk.builders import dashboard, prometheus
from grafana_foundation_sdk.models import dashboard as model

from grafana.generator.panels import DATASOURCE
from grafana.generator.queries import counted
from grafana.generator.thresholds import RED


def datasource_variable() -> dashboard.DatasourceVariable:
    """Return the choice of Prometheus, hidden while there is only one; the first one found is taken."""
    return dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def account_variable() -> dashboard.QueryVariable:
    """Return the choice of accounts; all of them at first."""
    everything = model.VariableOption(selected=True, text="All", value="$__all")
    variable = dashboard.QueryVariable("account").label("Account").datasource(DATASOURCE)
    variable = variable.query({"query": "label_values(replyby_threads_open, account)", "refId": "account"})
    variable = variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.ALPHABETICAL_ASC)
    return variable.multi(True).include_all(True).all_value(".*").current(everything)


def deadline_annotation() -> dashboard.AnnotationQuery:
    """Return a mark for each time at which deadlines passed unanswered.

    Grafana asks for about a hundred points whatever the range, so the window must grow with the step or miss most of them.
    """
    passed = counted("replyby_clocks_total", "$__rate_interval", 'outcome="no_response"', by="account, marketplace")
    expr = f"{passed} > 0"
    target = prometheus.Dataquery().expr(expr).ref_id("Anno").range().legend_format("{{account}} {{marketplace}}")
    annotation = dashboard.AnnotationQuery().name("deadline passed").datasource(DATASOURCE).enable(True)
    annotation = annotation.icon_color(RED).target(target).expr(expr).step("5m")
    return annotation.title_format("deadline passed").text_format("{{account}} {{marketplace}}")


def row(title: str, number: int, y: int) -> dashboard.Row:
    """Return a heading across the dashboard."""
    return dashboard.Row(title).grid_pos(model.GridPos(x=0, y=y, w=24, h=1)).id(number)
