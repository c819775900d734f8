// Reads {name: dashboard} from standard input; prints what Grafana's own types do not know, one line a problem, as JSON.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const generator = createGenerator({
  path: fileURLToPath(new URL('types.ts', import.meta.url)),
  type: '*',
  additionalProperties: false,
  skipTypeCheck: true,
  expose: 'none',
  topRef: false,
});
const ajv = new Ajv({ allErrors: true, strict: false });

function withoutRequired(schema) {
  // Grafana fills what is missing with its defaults; only what is misspelt or impossible is a problem.
  if (Array.isArray(schema)) return schema.map(withoutRequired);
  if (schema === null || typeof schema !== 'object') return schema;
  const entries = Object.entries(schema).filter(([key, value]) => !(key === 'required' && Array.isArray(value)));
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutRequired(value)]));
}

const validators = new Map();
function problems(type, value, where) {
  if (!validators.has(type)) validators.set(type, ajv.compile(withoutRequired(generator.createSchema(type))));
  const validate = validators.get(type);
  if (validate(value)) return [];
  return validate.errors.map((error) => {
    const detail = error.params.additionalProperty ?? error.params.allowedValues ?? '';
    return `${where}${error.instancePath}: ${error.message} ${JSON.stringify(detail)}`;
  });
}

const OPTIONS = { stat: 'StatOptions', bargauge: 'BargaugeOptions', table: 'TableOptions', timeseries: 'TimeseriesOptions' };
const CUSTOM = { table: 'TableCustom', timeseries: 'TimeseriesCustom' };

function check(name, dashboard) {
  const { panels = [], annotations = {}, ...rest } = dashboard;
  const found = problems('DashboardFile', rest, name);
  for (const annotation of annotations.list ?? []) found.push(...problems('AnnotationFile', annotation, `${name} annotation`));
  for (const panel of panels) {
    const where = `${name} panel ${panel.id} “${panel.title}”`;
    if (panel.type === 'row') {
      found.push(...problems('RowFile', panel, where));
      continue;
    }
    found.push(...problems('PanelFile', panel, where));
    if (!(panel.type in OPTIONS)) {
      found.push(`${where}: type ${panel.type} is none that is checked`);
      continue;
    }
    found.push(...problems(OPTIONS[panel.type], panel.options ?? {}, `${where} options`));
    const custom = panel.fieldConfig?.defaults?.custom;
    if (custom && panel.type in CUSTOM) found.push(...problems(CUSTOM[panel.type], custom, `${where} custom`));
    for (const target of panel.targets ?? []) found.push(...problems('Target', target, `${where} target ${target.refId}`));
  }
  return found;
}

const dashboards = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(Object.entries(dashboards).flatMap(([name, board]) => check(name, board))));
