// Reads [{panel, series: [{refId, name, labels, value}]}] from standard input and prints, for each, what Grafana's own
// formatter would show: [{title, text, color}]. An empty list of series is an empty result.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'node', language: 'en', languages: ['en'] }, configurable: true });
const {
  applyFieldOverrides,
  createTheme,
  FieldType,
  getFieldDisplayValues,
  standardFieldConfigEditorRegistry,
  createDataFrame,
} = createRequire(import.meta.url)('@grafana/data');

// Without these Grafana ignores units, thresholds and mappings without a word; its front end registers them with editors.
const asIs = (value) => value;
const item = (id, path = id) => ({
  id,
  path,
  name: id,
  description: '',
  editor: () => null,
  override: () => null,
  process: asIs,
  shouldApply: () => true,
  settings: {},
});
standardFieldConfigEditorRegistry.setInit(() =>
  ['unit', 'min', 'max', 'decimals', 'displayName', 'color', 'noValue', 'mappings', 'thresholds', 'links'].map((id) => item(id)),
);
const theme = createTheme();

function show({ panel, series }) {
  const frames = series.map(({ refId, name, labels, value }) =>
    createDataFrame({
      refId,
      name,
      fields: [
        { name: 'Time', type: FieldType.time, values: [0], config: {} },
        { name: 'Value', type: FieldType.number, values: [value], labels: labels ?? {}, config: { displayNameFromDS: name } },
      ],
    }),
  );
  const data = applyFieldOverrides({
    data: frames,
    fieldConfig: panel.fieldConfig,
    replaceVariables: asIs,
    theme,
    fieldConfigRegistry: standardFieldConfigEditorRegistry,
  });
  return getFieldDisplayValues({
    data,
    fieldConfig: panel.fieldConfig,
    reduceOptions: panel.options.reduceOptions ?? { calcs: ['lastNotNull'], fields: '', values: false },
    replaceVariables: asIs,
    theme,
  }).map(({ display }) => ({
    title: display.title ?? '',
    text: `${display.prefix ?? ''}${display.text}${display.suffix ?? ''}`,
    color: display.color,
  }));
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(show)));
