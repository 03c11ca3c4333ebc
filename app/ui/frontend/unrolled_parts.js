// Paths as numbers: of n blocks, block 0 decides the highest bit, so that the upper half of the tree takes its shortcut.

const TREE_HEAD = 54, PLAIN_ROW = 66, NARROW_TREE = 640, GAP = 30;
const PITCH = { 1: 62, 2: 46, 3: 34, 4: 22, 5: 13, 6: 8.5 }; // pixels from leaf to leaf

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const power = (n) => `2${[...String(n)].map((digit) => SUPERSCRIPT[digit]).join('')}`;
const below = (n) => [...String(n)].map((digit) => '₀₁₂₃₄₅₆₇₈₉'[digit]).join('');
const bitOf = (block, n) => 1 << (n - 1 - block);

// The chances of 0, 1, …, n heads in n throws: how many branches a path passes in n blocks.
const heads = (n) => {
  let row = [1];
  for (let i = 0; i < n; i += 1) row = [...row, 0].map((value, k) => (value + (row[k - 1] ?? 0)) / 2);
  return row;
};
const lengthOf = (path) => path.toString(2).replaceAll('0', '').length;

// Every path, from the one that passes no branch to the one that passes all; a plain net has the last alone.
const allPaths = (n, plain) => (plain ? [2 ** n - 1] : [...Array(2 ** n).keys()]);

// The paths that agree with `path` on the blocks from `block` on.
const agreeing = (paths, path, block, n) => {
  const fixed = 2 ** (n - block) - 1;
  return paths.filter((other) => (other & fixed) === (path & fixed));
};

const sign = (text) => make('span', 'sign', text);
const part = (name, paths, ...inside) => {
  const span = make('span', `term ${name}`);
  span.paths = paths;
  span.append(...inside);
  return span;
};

// What leaves block `i` − 1, written out down to x₀; `path` holds what is chosen from block `i` on.
const written = (terms, paths, i, path, n) => {
  if (i === 0) return [part('leaf', [path], 'x₀')];
  const b = i - 1, through = path | bitOf(b, n);
  return terms[b].flatMap((piece) => {
    if (piece === 0) return written(terms, paths, b, path, n);
    if (piece === 1) return [part('branch', agreeing(paths, through, b, n), sign(`F${below(i)}(`), ...written(terms, paths, b, through, n), sign(')'))];
    return [make('span', 'join', piece)];
  });
};

// One equation a block, each of the one before.
const folded = (terms, paths, n) => terms.map((pieces, b) => {
  const passing = paths.filter((path) => path & bitOf(b, n)), beside = paths.filter((path) => !(path & bitOf(b, n)));
  const line = make('span', 'line');
  line.append(make('span', 'join', `x${below(b + 1)} = `), ...pieces.map((piece) => {
    if (piece === 0) return part('leaf', beside, `x${below(b)}`);
    return piece === 1 ? part('branch', passing, sign(`F${below(b + 1)}(x${below(b)})`)) : make('span', 'join', piece);
  }));
  return line;
});
