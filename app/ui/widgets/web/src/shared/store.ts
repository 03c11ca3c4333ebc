// What one component points at lights up in the others, in the browser alone. One store a page.

/** What is said, by topic. */
export interface Topics {
  /** From a strip or a chart to the unrolled net: a block or a length of path; null, or neither, for no more. */
  point: { block?: number | null; length?: number | null };
  /** Its answer: the blocks that every lit path passes, and the lit paths of each length in percent; null for none. */
  light: { blocks: number[] | null; parts: number[] | null };
  /** From any chart to all strips: the layer or the block that the pointer is at; null for no more. */
  hint: { at: string | null };
}

/** The channel of all components. Those of one unrolled net share its key; the empty one reaches nobody. */
export const ALL = 'all';

type Ear<T> = (told: T) => void;
type Ears = { [Topic in keyof Topics]: Map<Ear<Topics[Topic]>, () => string> };

class Store {
  private readonly ears: Ears = { point: new Map(), light: new Map(), hint: new Map() };

  /** Tells all who listen on `channel`. */
  say<Topic extends keyof Topics>(topic: Topic, channel: string, told: Topics[Topic]): void {
    if (!channel) return;
    for (const [ear, listening] of [...this.ears[topic]]) if (listening() === channel) ear(told);
  }

  /** Calls `ear` until what it returns is called. `channel` says what is meant for it, asked anew each time. */
  listen<Topic extends keyof Topics>(topic: Topic, channel: () => string, ear: Ear<Topics[Topic]>): () => void {
    this.ears[topic].set(ear, channel);
    return () => this.ears[topic].delete(ear);
  }
}

export const store = new Store();
