// A block dragged to another's place.

const FAR = 6; // pixels from which on a press is a drag

export interface Stage {
  rows: HTMLElement;
  /** The items that a block can be dragged over. */
  items: () => SVGGElement[];
  /** Whether an item can be dragged at all, and whether to another's place. */
  movable: (item: SVGGElement) => boolean;
  fits: (item: SVGGElement, other: SVGGElement | undefined) => boolean;
  begun: () => void;
  move: (item: SVGGElement, other: SVGGElement) => void;
}

interface Held {
  item: SVGGElement;
  x: number;
  far: boolean;
  over: SVGGElement | null;
}

export class Drag {
  private held: Held | null = null;
  private released = false;

  constructor(private readonly stage: Stage) {
    const { rows } = stage;
    rows.addEventListener('pointerdown', (event) => this.grasped(event));
    rows.addEventListener('pointermove', (event) => this.dragged(event));
    rows.addEventListener('pointerup', () => this.dropped(true));
    rows.addEventListener('pointercancel', () => this.dropped(false));
  }

  /** True once after a drag, whose end is no click. */
  ended(): boolean {
    const { released } = this;
    this.released = false;
    return released;
  }

  private grasped(event: PointerEvent): void {
    this.released = false;
    const item = event.target instanceof Element ? event.target.closest<SVGGElement>('.item') : null;
    const can = event.button === 0 && item && this.stage.movable(item);
    this.held = can ? { item, x: event.clientX, far: false, over: null } : null;
  }

  private dragged(event: PointerEvent): void {
    const { held, stage } = this;
    if (!held) return;
    const { item, x } = held;
    if (!held.far && Math.abs(event.clientX - x) < FAR) return;
    if (!held.far) stage.rows.setPointerCapture(event.pointerId);
    held.far = true;
    stage.begun();
    item.classList.add('held');
    item.setAttribute('transform', `translate(${event.clientX - x} -3)`);
    const under = stage.items().find((other) => other !== item && isUnder(event, other));
    held.over = under && stage.fits(item, under) ? under : null;
    for (const other of stage.items()) other.classList.toggle('over', other === held.over);
    stage.rows.classList.toggle('nowhere', Boolean(under) && !held.over);
  }

  private dropped(letGo: boolean): void {
    const { held, stage } = this;
    this.held = null;
    if (!held?.far) return;
    this.released = letGo;
    held.item.removeAttribute('transform');
    stage.rows.classList.remove('nowhere');
    for (const other of stage.items()) other.classList.remove('held', 'over');
    if (held.over && letGo) stage.move(held.item, held.over);
  }
}

function isUnder({ clientX, clientY }: PointerEvent, item: SVGGElement): boolean {
  const box = item.querySelector('.hit')?.getBoundingClientRect();
  if (!box) return false;
  const beside = Math.abs(clientY - box.top - box.height / 2) < box.height;
  return clientX >= box.left && clientX < box.right && beside;
}
