// The tree of paths: each block doubles them.

import { draw } from '../shared/index.js';
import { Geometry } from './geometry.js';
import { owning } from './owned.js';
import { lengthOf, passing, words } from './paths.js';

export interface Scene {
  at: Geometry;
  name: string;
  labels: string[];
  paths: number[];
}

export function tree(scene: Scene): SVGSVGElement {
  const { at, name, labels, paths } = scene;
  const { n, width, height } = at;
  const said = `${name} unrolled: ${paths.length} paths through ${n} blocks`;
  const svg = draw('svg', { class: 'tree', width, height, role: 'group', 'aria-label': said });
  const edges = draw('g', {});
  const tags = draw('g', {});
  const leaves = draw('g', { role: 'group', 'aria-label': 'paths' });
  for (let d = 0; d < n; d += 1) {
    for (let to = 0; to < 2 ** (d + 1); to += 1) {
      const own = paths.filter((path) => path >> (n - 1 - d) === to);
      if (!own.length) continue;
      edges.append(edge(at, d, to, own));
      if (to % 2 && at.pitch * 2 ** (n - d) >= 24) tags.append(tag(at, d, to, labels[d] ?? '', own));
    }
  }
  leaves.append(...paths.map((path) => leaf(scene, path)));
  const start = draw('text', { class: 'x0', x: at.left - 6, y: at.y(0, 0) + 5 }, 'x₀');
  svg.append(start, edges, tags, leaves, header(scene));
  if (!at.plain) svg.append(plainRow(scene, at.foot + 32));
  return svg;
}

/** From before block `d` to after it, past its branch or through it: the last bit of `to`. */
function ends(at: Geometry, d: number, to: number): { x0: number; y0: number; x1: number; y1: number; mid: number } {
  const [x0, x1] = [at.x(d), at.x(d + 1)];
  return { x0, y0: at.y(d, to >> 1), x1, y1: at.y(d + 1, to), mid: (x0 + x1) / 2 };
}

function edge(at: Geometry, d: number, to: number, paths: number[]): SVGElement {
  const { x0, y0, x1, y1, mid } = ends(at, d, to);
  const g = owning(draw('g', { class: `edge lights ${to % 2 ? 'through' : 'past'}` }), paths);
  const way = `M${x0} ${y0}C${mid} ${y0} ${mid} ${y1} ${x1} ${y1}`;
  g.append(draw('path', { class: 'reach', d: way }), draw('path', { class: 'way', d: way }));
  return g;
}

function tag(at: Geometry, d: number, to: number, label: string, paths: number[]): SVGElement {
  const { y0, y1, mid } = ends(at, d, to);
  const [x, y] = [mid + at.column * 0.12, y0 + (y1 - y0) * 0.68];
  const g = owning(draw('g', { class: 'tag lights' }), paths);
  g.append(
    draw('rect', { x: x - 13, y: y - 9, width: 26, height: 18, rx: 3.5 }),
    draw('text', { x, y: y + 4.5 }, label),
  );
  return g;
}

/** The blocks above the tree: each can be switched off. */
function header({ at, labels, paths }: Scene): SVGElement {
  const g = draw('g', { role: 'group', 'aria-label': 'blocks: each can be switched off' });
  labels.forEach((label, b) => {
    const w = Math.min(at.column - 8, 92);
    const left = at.x(b) + (at.column - w) / 2;
    const item = owning(draw('g', { class: 'block lights', role: 'switch' }), passing(paths, b, at.n));
    item.dataset.block = String(b);
    item.append(
      draw('rect', { class: 'box', x: left, y: 4, width: w, height: 32, rx: 4 }),
      draw('text', { x: left + w / 2, y: 25.5 }, label),
      draw('path', { class: 'cross', d: `M${left + 5} 9L${left + w - 5} 31M${left + w - 5} 9L${left + 5} 31` }),
    );
    g.append(item);
  });
  return g;
}

function leaf({ at, labels }: Scene, path: number): SVGElement {
  const [x, y, k] = [at.x(at.n), at.y(at.n, path), lengthOf(path)];
  const tall = Math.min(at.pitch, 40);
  const aria = { role: 'img', 'aria-label': words([path], labels) };
  const g = owning(draw('g', { class: 'leaf-row lights', ...aria }), [path]);
  g.append(
    draw('rect', { class: 'reach', x: x - 4, y: y - tall / 2, width: at.right + 2, height: tall }),
    draw('circle', { class: 'end', cx: x, cy: y, r: Math.min(3.5, at.pitch / 3) }),
  );
  const text = at.narrow || at.pitch < 20 ? k : `${k} branch${k === 1 ? '' : 'es'}`;
  if (at.pitch >= 12) g.append(draw('text', { x: x + 9, y: y + 4.5 }, text));
  return g;
}

/** The same blocks in a row, without shortcuts. */
function plainRow({ at, labels }: Scene, y: number): SVGElement {
  const g = draw('g', { class: 'plain' });
  g.append(
    draw('path', { class: 'rule', d: `M0 ${y - 26}H${at.width}` }),
    draw('text', { class: 'x0', x: at.x(0) - 6, y: y + 5 }, 'x₀'),
  );
  labels.forEach((label, b) => {
    const piece = draw('g', { class: 'piece' });
    const mid = at.x(b) + at.column / 2;
    piece.append(
      draw('path', { class: 'way', d: `M${at.x(b)} ${y}H${at.x(b + 1)}` }),
      draw('rect', { x: mid - 15, y: y - 11, width: 30, height: 22, rx: 3.5 }),
      draw('text', { x: mid, y: y + 4.5 }, label),
    );
    g.append(piece);
  });
  // Below the row where nothing fits beside it.
  const place = at.narrow ? { x: at.width, y: y + 26 } : { x: at.x(at.n) + 9, y: y + 4.5 };
  g.append(draw('text', { class: at.narrow ? 'verdict last' : 'verdict', ...place }));
  return g;
}
