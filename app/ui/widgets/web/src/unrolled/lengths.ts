// How many paths there are of each length, as bars.

import { draw } from '../shared/index.js';
import { owning } from './owned.js';
import { lengthOf } from './paths.js';

const LEFT = 6;
const TOP = 48;

export function lengths(paths: number[], n: number, { width, height }: { width: number; height: number }): SVGElement {
  const ofLength = [...Array(n + 1).keys()].map((k) => paths.filter((path) => lengthOf(path) === k));
  const most = Math.max(...ofLength.map((own) => own.length));
  const aria = { role: 'group', 'aria-label': 'number of paths by length' };
  const svg = draw('svg', { class: 'lengths', width, height, ...aria });
  const foot = height - 46;
  const pitch = (width - LEFT - 6) / (n + 1);
  const middle = LEFT + (width - LEFT) / 2;
  svg.append(
    draw('text', { class: 'title', x: LEFT, y: 18 }, 'paths of each length'),
    draw('path', { class: 'base', d: `M${LEFT} ${foot + 0.5}H${width - 6}` }),
    draw('text', { class: 'axis', x: middle, y: height - 6 }, 'residual branches on the path'),
    ...ofLength.map((own, k) => bar(own, k, { foot, pitch, tall: (own.length / most) * (foot - TOP) })),
  );
  return svg;
}

function bar(paths: number[], k: number, at: { foot: number; pitch: number; tall: number }): SVGElement {
  const { foot, pitch, tall } = at;
  const begin = LEFT + k * pitch;
  const box = { x: begin + pitch * 0.1, y: foot - tall, width: pitch * 0.8, height: tall };
  const mid = box.x + box.width / 2;
  const g = owning(draw('g', { class: 'bar lights', role: 'img' }), paths);
  g.append(
    draw('rect', { class: 'reach', x: begin, y: TOP - 20, width: pitch, height: foot - TOP + 40 }),
    ...['all', 'alive', 'lit'].map((name) => draw('rect', { class: name, ...box })),
    draw('text', { class: 'number', x: mid, y: foot - tall - 7 }),
    draw('text', { class: 'tick', x: mid, y: foot + 18 }, k),
  );
  return g;
}
