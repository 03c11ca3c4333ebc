import { axes, isAxis, type Layout } from './plotly.js';

type Range = unknown[] | undefined;

/**
 * Plotly keeps a zoom while the page asks for the same range; an axis that grows asks for another, and would take the
 * zoom away. So what was asked for when a hand came is asked for until it lets go, or other runs are drawn.
 */
export class Ranges {
  private resets = 0;
  private revision = '';
  private asked: Record<string, Range> = {};
  private held: Record<string, Range> = {};

  /** The layout that asks for what is held. */
  keep(layout: Layout): Layout {
    const revision = `${String(layout.uirevision)} ${this.resets}`;
    if (this.revision !== revision) this.held = {};
    this.revision = revision;
    this.asked = {};
    const out = { ...layout };
    for (const [name, axis] of axes(layout)) {
      this.asked[name] = axis.range;
      // A copy: Plotly writes a hand's zoom into the range that it was given.
      const range = axis.range && { range: [...(this.held[name] ?? axis.range)] };
      out[name] = { ...axis, ...range, uirevision: revision };
    }
    return out;
  }

  /** A hand has zoomed or panned: the changes as Plotly tells them. */
  zoomed(changes: Record<string, unknown>): void {
    for (const key of Object.keys(changes)) {
      const name = key.split('.')[0] ?? '';
      if (isAxis(name)) this.held[name] ??= this.asked[name];
    }
  }

  /** All is to be seen again. Plotly's own would go back to the ranges of the first draw. */
  reset(): void {
    this.resets += 1;
  }
}
