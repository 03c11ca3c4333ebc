// Where the parts of the tree stand, in real pixels.

const HEAD = 54;
const PLAIN = 150; // the height of a plain net's one path
const PITCH = [62, 62, 46, 34, 22, 13, 8.5]; // from leaf to leaf, by the number of blocks
const ROW = 66; // of the same blocks without shortcuts
const NARROW = 640;
const GAP = 30;

export class Geometry {
  readonly narrow: boolean;
  /** Of the tree; the lengths have the rest. */
  readonly width: number;
  readonly bars: { width: number; height: number };
  readonly left = 30;
  readonly right: number;
  readonly column: number;
  readonly pitch: number;
  /** The foot of the tree, and of all that stands with it. */
  readonly foot: number;
  readonly height: number;

  constructor(
    readonly n: number,
    readonly plain: boolean,
    width: number,
  ) {
    const leaves = plain ? 1 : 2 ** n;
    const row = plain ? 0 : ROW;
    this.narrow = width < NARROW;
    this.width = this.narrow ? width : Math.round(width * 0.66);
    this.right = this.narrow ? 26 : 92;
    this.column = (this.width - this.left - this.right) / n;
    this.pitch = plain ? PLAIN : (PITCH[n] ?? 8.5);
    this.foot = HEAD + leaves * this.pitch;
    this.height = this.foot + 8 + row;
    this.bars = this.narrow
      ? { width, height: 210 }
      : { width: width - this.width - GAP, height: Math.max(this.height - row, 230) };
  }

  /** Before block `d`. */
  x(d: number): number {
    return this.left + d * this.column;
  }

  /** Where the paths stand that begin with the `d` bits of `prefix`. */
  y(d: number, prefix: number): number {
    return this.plain ? HEAD + PLAIN / 2 : HEAD + (prefix + 0.5) * 2 ** (this.n - d) * this.pitch;
  }
}
