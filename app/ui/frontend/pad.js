// A black square to draw on in white, as the digits and clothes of MNIST are. After every stroke its PNG is sent.

const SIDE = 224; // canvas pixels: eight to one of the net's

class Pad {
  constructor(root) {
    const add = (tag, parent, set = {}) => parent.appendChild(Object.assign(document.createElement(tag), set));
    this.canvas = add('canvas', root, { width: SIDE, height: SIDE, tabIndex: 0 });
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', 'A black square: draw on it in white with the mouse, a pen or a finger');
    const tools = add('div', root, { className: 'tools' });
    this.width = add('input', add('label', tools, { textContent: 'Brush' }), { type: 'range', min: 8, max: 64, step: 4, value: 20 });
    this.undo = add('button', tools, { type: 'button', textContent: 'Undo', onclick: () => this.back(this.strokes.slice(0, -1)) });
    this.clear = add('button', tools, { type: 'button', textContent: 'Clear', onclick: () => this.back([]) });
    this.strokes = [];
    this.canvas.onpointerdown = (event) => this.begin(event);
    this.canvas.onpointermove = (event) => this.go(event);
    this.canvas.onpointerup = this.canvas.onpointercancel = (event) => this.end(event);
    this.draw();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * SIDE / box.width, (event.clientY - box.top) * SIDE / box.height];
  }

  begin(event) {
    if (event.button || this.pointer !== undefined) return;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.strokes.push({ width: Number(this.width.value), points: [this.place(event)] });
    this.draw();
  }

  go(event) {
    if (event.pointerId !== this.pointer) return;
    const late = event.getCoalescedEvents?.() ?? [];
    this.strokes.at(-1).points.push(...(late.length ? late : [event]).map((one) => this.place(one)));
    this.draw();
  }

  end(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = undefined;
    this.tell();
  }

  back(strokes) {
    this.strokes = strokes;
    this.draw();
    this.tell();
  }

  draw() {
    const pen = this.canvas.getContext('2d');
    Object.assign(pen, { fillStyle: '#000', strokeStyle: '#fff', lineCap: 'round', lineJoin: 'round' });
    pen.fillRect(0, 0, SIDE, SIDE);
    for (const { width, points } of this.strokes) {
      pen.lineWidth = width;
      pen.beginPath();
      pen.moveTo(...points[0]);
      for (const point of points) pen.lineTo(...point); // the first one too: a dot
      pen.stroke();
    }
    this.undo.disabled = this.clear.disabled = !this.strokes.length;
  }

  tell() {
    this.send?.(this.strokes.length ? this.canvas.toDataURL('image/png') : '');
  }
}

export default function ({ parentElement, setStateValue }) {
  const root = parentElement.querySelector('.pad');
  root._pad ??= new Pad(root);
  root._pad.send = (drawing) => setStateValue('drawing', drawing);
  return () => {};
}
