// A black square to draw on in white, as the digits and clothes of MNIST are. After every stroke its PNG is sent.

import { add, instance, must, one, type Given } from '../shared/index.js';

const SIDE = 224; // canvas pixels: eight to one of the net's

type Point = [x: number, y: number];

interface Stroke {
  width: number;
  points: Point[];
}

export class Pad {
  send: (drawing: string) => void = () => undefined;
  private readonly canvas: HTMLCanvasElement;
  private readonly width: HTMLInputElement;
  private readonly undo: HTMLButtonElement;
  private readonly clear: HTMLButtonElement;
  private strokes: Stroke[] = [];
  private pointer: number | undefined;

  constructor(root: HTMLElement) {
    this.canvas = Object.assign(add(root, 'canvas'), { width: SIDE, height: SIDE, tabIndex: 0 });
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', 'A black square: draw on it in white with the mouse, a pen or a finger');
    const tools = add(root, 'div', 'tools');
    const brush = { type: 'range', min: '8', max: '64', step: '4', value: '20' };
    this.width = Object.assign(add(add(tools, 'label', '', 'Brush'), 'input'), brush);
    this.undo = this.button(tools, 'Undo', () => this.strokes.slice(0, -1));
    this.clear = this.button(tools, 'Clear', () => []);
    this.canvas.onpointerdown = (event) => this.begin(event);
    this.canvas.onpointermove = (event) => this.go(event);
    this.canvas.onpointerup = this.canvas.onpointercancel = (event) => this.end(event);
    this.draw();
  }

  private button(parent: HTMLElement, text: string, left: () => Stroke[]): HTMLButtonElement {
    const onclick = (): void => {
      this.strokes = left();
      this.draw();
      this.tell();
    };
    return Object.assign(add(parent, 'button', '', text), { type: 'button', onclick });
  }

  private place(event: PointerEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * SIDE) / box.width, ((event.clientY - box.top) * SIDE) / box.height];
  }

  private begin(event: PointerEvent): void {
    if (event.button || this.pointer !== undefined) return;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.strokes.push({ width: Number(this.width.value), points: [this.place(event)] });
    this.draw();
  }

  private go(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    const late = 'getCoalescedEvents' in event ? event.getCoalescedEvents() : []; // Safari has none
    this.strokes.at(-1)?.points.push(...(late.length ? late : [event]).map((each) => this.place(each)));
    this.draw();
  }

  private end(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    this.pointer = undefined;
    this.tell();
  }

  private draw(): void {
    const pen = must(this.canvas.getContext('2d'));
    Object.assign(pen, { fillStyle: '#000', strokeStyle: '#fff', lineCap: 'round', lineJoin: 'round' });
    pen.fillRect(0, 0, SIDE, SIDE);
    for (const { width, points } of this.strokes) {
      pen.lineWidth = width;
      pen.beginPath();
      pen.moveTo(...must(points[0]));
      for (const point of points) pen.lineTo(...point); // the first one too: a dot
      pen.stroke();
    }
    this.undo.disabled = this.clear.disabled = !this.strokes.length;
  }

  private tell(): void {
    this.send(this.strokes.length ? this.canvas.toDataURL('image/png') : '');
  }
}

export default function ({ parentElement, setStateValue }: Given<unknown>): () => void {
  const root = one(parentElement, '.pad');
  instance(root, () => new Pad(root)).send = (drawing) => setStateValue('drawing', drawing);
  return () => undefined;
}
