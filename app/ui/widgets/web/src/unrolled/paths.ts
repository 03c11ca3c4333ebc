// Paths as numbers: of n blocks, block 0 decides the highest bit, so that the upper half of the tree takes its shortcut.

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const SUBSCRIPT = '₀₁₂₃₄₅₆₇₈₉';

const inDigits = (n: number, digits: string): string =>
  String(n).replace(/\d/g, (digit) => digits.charAt(Number(digit)));
export const power = (n: number): string => `2${inDigits(n, SUPERSCRIPT)}`;
export const below = (n: number): string => inDigits(n, SUBSCRIPT);

export const bitOf = (block: number, n: number): number => 1 << (n - 1 - block);
export const lengthOf = (path: number): number => path.toString(2).replaceAll('0', '').length;
const upTo = (n: number): number[] => [...Array(n).keys()];

/** Every path, from the one that passes no branch to the one that passes all; a plain net has the last alone. */
export const allPaths = (n: number, plain: boolean): number[] => (plain ? [2 ** n - 1] : upTo(2 ** n));

/** The paths that pass the branch of a block. */
export const passing = (paths: number[], block: number, n: number): number[] =>
  paths.filter((path) => path & bitOf(block, n));

/** The paths that agree with `path` on the blocks from `block` on. */
export function agreeing(paths: number[], path: number, block: number, n: number): number[] {
  const fixed = 2 ** (n - block) - 1;
  return paths.filter((other) => (other & fixed) === (path & fixed));
}

/** The chances of 0, 1, …, n heads in n throws: how many branches a path passes in n blocks. */
export function heads(n: number): number[] {
  let row = [1];
  for (let i = 0; i < n; i += 1) row = [...row, 0].map((value, k) => (value + (row[k - 1] ?? 0)) / 2);
  return row;
}

/** What of a net is drawn as a tree, and what is switched off. */
export interface Net {
  /** The names of the blocks that are drawn. */
  labels: string[];
  /** How many there are in all. */
  blocks: number;
  plain: boolean;
  off: Set<number>;
}

/** How many blocks are not drawn, and on. */
export const further = ({ labels, blocks, off }: Net): number =>
  blocks - labels.length - [...off].filter((block) => block >= labels.length).length;

/** The paths that a block that is off ends, as the blocks that are: any of these bits. */
export const gone = ({ labels, off }: Net): number =>
  labels.reduce((sum, _, block) => sum + (off.has(block) ? bitOf(block, labels.length) : 0), 0);

const throws = new Map<number, number[]>();

/**
 * The lit paths of each length, in percent of all paths of the whole net: each goes on through the blocks not drawn.
 * `only`: that length alone.
 */
export function shares(net: Net, lit: Iterable<number>, only: number | null): number[] {
  const { blocks, plain, off } = net;
  const rest = further(net);
  const chances = plain ? [...Array<number>(rest).fill(0), 1] : (throws.get(rest) ?? heads(rest));
  if (!plain) throws.set(rest, chances);
  const all = 100 * 2 ** (plain ? 0 : rest - blocks);
  const parts = Array<number>(blocks + 1).fill(0);
  for (const path of plain && off.size ? [] : lit) {
    chances.forEach((chance, k) => (parts[lengthOf(path) + k] = (parts[lengthOf(path) + k] ?? 0) + all * chance));
  }
  return only === null ? parts : parts.map((value, k) => (k === only ? value : 0));
}

/** Some paths in words. */
export function words(paths: number[], labels: string[]): string {
  const [path] = paths;
  if (path === undefined) return 'No path is left here.';
  if (paths.length > 1) return `${paths.length} paths`;
  const passed = labels.filter((_, block) => path & bitOf(block, labels.length));
  const other = labels.length - passed.length;
  const through = passed.length ? `through ${passed.join(', ')}` : 'through no branch';
  return `One path: ${through}${other ? `, past the other ${other === 1 ? 'block' : other}` : ''}`;
}
