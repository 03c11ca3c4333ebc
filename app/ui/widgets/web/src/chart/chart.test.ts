import { expect, test } from 'vitest';
import { completed, told, written } from './cells.js';
import { ink, light, mix, type Palette } from './colours.js';
import { litBars } from './dress.js';
import type { Axis, Layout, Meta } from './plotly.js';
import { Ranges } from './ranges.js';

const layout = (end: number, uirevision = 'a'): Layout => ({ uirevision, xaxis: { range: [0, end] }, yaxis2: {} });
const asked = (layout: Layout, axis = 'xaxis'): unknown => (layout[axis] as Axis).range;

test('an axis that grows asks for its new range while no hand has zoomed', () => {
  const ranges = new Ranges();
  expect(asked(ranges.keep(layout(10)))).toEqual([0, 10]);
  expect(asked(ranges.keep(layout(20)))).toEqual([0, 20]);
});

test('once zoomed it asks for what was asked for then, until it is reset', () => {
  const ranges = new Ranges();
  ranges.keep(layout(10));
  ranges.zoomed({ 'xaxis.range[0]': 2, 'xaxis.range[1]': 4, autosize: true });
  const kept = ranges.keep(layout(20));
  expect(kept.xaxis).toEqual({ range: [0, 10], uirevision: 'a 0' });
  expect(asked(ranges.keep(layout(30)))).toEqual([0, 10]);
  ranges.reset();
  expect(ranges.keep(layout(30)).xaxis).toEqual({ range: [0, 30], uirevision: 'a 1' });
});

test('or until other runs are drawn', () => {
  const ranges = new Ranges();
  ranges.keep(layout(10));
  ranges.zoomed({ 'xaxis.range': [2, 4] });
  expect(asked(ranges.keep(layout(50, 'b')))).toEqual([0, 50]);
});

test('a range is a copy, and an axis without one gets none', () => {
  const ranges = new Ranges();
  const given = layout(10);
  const kept = ranges.keep(given);
  expect(asked(kept)).not.toBe(asked(given));
  expect(kept.yaxis2).toEqual({ uirevision: 'a 0' });
});

const meta: Meta = {
  cells: 'log10',
  name: 'ResNet-20',
  rows: ['stem.conv', 'blocks.3.shortcut.conv'],
  columns: [0, 1000],
  below: [[100, null], []],
  above: [[30, 0], []],
};

test('a cell of a map says its layer, its steps and its range', () => {
  const z = [
    [-1, null],
    [null, 2],
  ];
  const { text } = completed({ meta, x: [-0.5, 0.5, 2000.5], z });
  expect(text?.[0]).toEqual([
    'ResNet-20 · stem.conv<br>step 0: 0.10, from 0.010 to 0.20',
    'ResNet-20 · stem.conv<br>steps 1,000 to 2,000: not measured',
  ]);
  expect(text?.[1]?.[1]).toBe(
    'ResNet-20 · blocks.3.shortcut.conv (projection)<br>steps 1,000 to 2,000: 100, from 0 to 100',
  );
  const line = { line: { color: '#123456' } };
  expect(completed(line)).toBe(line);
});

test('a click tells the step and the layer of a cell, and of other traces the point', () => {
  expect(told({ x: 1, y: 1, pointIndex: [1, 0], data: { meta } })).toEqual({
    x: 0,
    y: 1,
    customdata: 'blocks.3.shortcut.conv',
    name: 'ResNet-20',
  });
  expect(told({ x: 5, y: 0.2, data: { name: 'loss' } })).toEqual({ x: 5, y: 0.2, customdata: null, name: 'loss' });
});

test('powers of ten in two digits', () => {
  expect([3, 0, -1, -4].map(written)).toEqual(['1000', '1.0', '0.10', '1.0e-4']);
});

test('letters are moved towards the text until they can be read', () => {
  const given: Palette = { text: [0, 0, 0], paper: [255, 255, 255], font: '' };
  expect(ink([0, 0, 200], given)).toEqual([0, 0, 200]);
  expect(ink([255, 200, 0], given)).toEqual([128, 100, 0]);
  expect(light([255, 255, 255])).toBeCloseTo(1);
  expect(mix([0, 100, 200], [100, 200, 0], 0.5)).toEqual([50, 150, 100]);
});

test('bars of the lit paths, without those that are not seen', () => {
  const page: Palette = { text: [1, 2, 3], paper: [255, 255, 255], font: '' };
  expect(litBars([0, 12.5], page)).toEqual([
    { type: 'rect', x0: 0.6, x1: 1.4, y0: 0, y1: 12.5, fillcolor: 'rgba(1,2,3,0.62)', line: { width: 0 } },
  ]);
});
