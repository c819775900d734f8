// What a dashboard and the panels we use may contain, as Grafana itself declares it.
import type { AnnotationQuery, Dashboard, Panel, RowPanel } from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import type * as stat from './node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as bargauge from './node_modules/@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen';
import type * as table from './node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as timeseries from './node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';
import type { DataQuery } from './node_modules/@grafana/schema/dist/types/common/common.gen';

export type DashboardFile = Omit<Dashboard, 'panels' | 'annotations'>;
export type PanelFile = Panel;
export type RowFile = RowPanel;
export type StatOptions = stat.Options;
export type BargaugeOptions = bargauge.Options;
export type TableOptions = table.Options;
export type TableCustom = table.FieldConfig;
export type TimeseriesOptions = timeseries.Options;
export type TimeseriesCustom = timeseries.FieldConfig;

// Grafana 13 keeps the types of its Prometheus queries in the data source's own package; these are the keys we write.
export interface Target extends DataQuery {
  expr: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  interval?: string;
  legendFormat?: string;
  range?: boolean;
}

export interface AnnotationFile extends Omit<AnnotationQuery, 'target'> {
  expr?: string;
  step?: string;
  target: Target;
  textFormat?: string;
  titleFormat?: string;
}
