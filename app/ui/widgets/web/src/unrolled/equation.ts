// The equation of a net, whose terms light their paths.

import { make } from '../shared/index.js';
import { owning } from './owned.js';
import { agreeing, below, bitOf, passing } from './paths.js';

/** A block's equation in pieces: signs as text; 0 is the shortcut's x, 1 the branch. */
export type Terms = (string | 0 | 1)[];

const sign = (text: string): HTMLElement => make('span', 'sign', text);
const join = (text: string): HTMLElement => make('span', 'join', text);

function part(name: string, paths: number[], ...inside: (string | HTMLElement)[]): HTMLElement {
  const span = owning(make('span', `term ${name}`), paths);
  span.append(...inside);
  return span;
}

/** All blocks in one equation. */
export const whole = (terms: Terms[], paths: number[]): HTMLElement[] => [
  join(`x${below(terms.length)} = `),
  ...written(terms, paths, terms.length, 0),
];

/** What leaves block `i` − 1, written out down to x₀; `path` holds what is chosen from block `i` on. */
function written(terms: Terms[], paths: number[], i: number, path: number): HTMLElement[] {
  if (i === 0) return [part('leaf', [path], 'x₀')];
  const b = i - 1;
  const through = path | bitOf(b, terms.length);
  return (terms[b] ?? []).flatMap((piece) => {
    if (piece === 0) return written(terms, paths, b, path);
    if (piece !== 1) return [join(piece)];
    const inside = [sign(`F${below(i)}(`), ...written(terms, paths, b, through), sign(')')];
    return [part('branch', agreeing(paths, through, b, terms.length), ...inside)];
  });
}

/** One equation a block, each of the one before. */
export function folded(terms: Terms[], paths: number[]): HTMLElement[] {
  return terms.map((pieces, b) => {
    const through = passing(paths, b, terms.length);
    const beside = paths.filter((path) => !through.includes(path));
    const line = make('span', 'line');
    line.append(join(`x${below(b + 1)} = `));
    for (const piece of pieces) {
      if (piece === 0) line.append(part('leaf', beside, `x${below(b)}`));
      else if (piece === 1) line.append(part('branch', through, sign(`F${below(b + 1)}(x${below(b)})`)));
      else line.append(join(piece));
    }
    return line;
  });
}
