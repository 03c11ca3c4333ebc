// The paths that a part of the picture stands for: they light up where it is pointed at.

const owned = new WeakMap<Element, number[]>();

export function owning<T extends Element>(element: T, paths: number[]): T {
  owned.set(element, paths);
  return element;
}

export const pathsOf = (element: Element): number[] => owned.get(element) ?? [];

/** The paths of what an event happened on; null where it has none. */
export function pathsAt({ target }: Event): number[] | null {
  const part = target instanceof Element ? target.closest('.lights, .term') : null;
  return (part && owned.get(part)) ?? null;
}
