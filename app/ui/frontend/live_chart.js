// A Plotly chart that keeps zoom, pan and hover while its data changes: one element, one Plotly.react an update.
// What arrives is [length of the head, 4 bytes][head, JSON][figure, gzipped JSON]; the figure is shared by all sessions,
// and comes by the feed where the head names one. Continues lights.js.

import { follow, unframed, unpacked } from './feed.js';

// sendChartToCloud would hand the class's data to another host.
const REMOVED = ['sendChartToCloud', 'select2d', 'lasso2d', 'autoScale2d', 'zoomIn2d', 'zoomOut2d', 'resetScale2d'];

const AXIS = /^[xy]axis\d*$/;

let loading;
function plotly() {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  const url = new URL('plotly.min.js', import.meta.url).href;
  loading ??= fetch(url, { method: 'HEAD' }).then((answer) => { // an unknown path is answered with Streamlit's own page
    if (!answer.ok || !answer.headers.get('content-type')?.includes('javascript')) throw new Error(`no plotly.js at ${url}`);
    return new Promise((ok, no) => {
      const script = document.createElement('script');
      script.src = url;
      script.onload = () => (window.Plotly ? ok(window.Plotly) : no(new Error(url)));
      script.onerror = () => no(new Error(url));
      document.head.append(script);
    });
  }).catch((error) => { loading = undefined; throw error; });
  return loading;
}

// ---- colours ----

const channels = (text) => {
  const probe = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  probe.fillStyle = text;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const css = ([r, g, b], alpha = 1) => `rgba(${r},${g},${b},${alpha})`;
const mix = (a, b, part) => a.map((value, i) => Math.round(value + (b[i] - value) * part));
const light = (rgb) => rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };

function palette(element) {
  const style = getComputedStyle(element);
  const read = (name, fallback) => channels(style.getPropertyValue(name).trim() || fallback);
  const text = read('--st-text-color', '#1b2130'), paper = read('--st-background-color', '#ffffff');
  return { text, paper, font: style.getPropertyValue('--st-font').trim() || style.fontFamily };
}

// A family's colour as letters: moved towards the text's colour until it can be read (WCAG: 4.5 to 1).
function ink(colour, { text, paper }) {
  const from = channels(colour);
  for (let part = light(paper) > 0.2 ? 0 : 0.2; part < 1; part += 0.1) {
    const tried = mix(from, text, part);
    if (contrast(tried, paper) >= 4.5) return css(tried);
  }
  return css(text);
}

function dressed(layout, marks, colours, width) {
  const { text, paper, font } = colours, soft = css(mix(paper, text, 0.62)), narrow = width < 480;
  const size = narrow ? 11 : layout.font?.size ?? 13;
  const out = { ...layout, autosize: true, width: undefined, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)' };
  out.font = { ...layout.font, family: font, color: css(text), size };
  out.hoverlabel = { ...layout.hoverlabel, bgcolor: css(paper), bordercolor: css(mix(paper, text, 0.3)),
    font: { family: font, color: css(text), size: 13 } };
  out.modebar = { bgcolor: 'rgba(0,0,0,0)', color: soft, activecolor: css(text), orientation: 'h' };
  for (const key of Object.keys(layout).filter((name) => AXIS.test(name))) {
    out[key] = { gridcolor: css(mix(paper, text, 0.09)), tickcolor: css(mix(paper, text, 0.35)), tickfont: { color: soft, size },
      ...layout[key], title: { ...layout[key].title, font: { color: soft, size } } };
  }
  if (layout.coloraxis) {
    const bar = layout.coloraxis.colorbar ?? {};
    out.coloraxis = { ...layout.coloraxis, colorbar: { tickcolor: soft, tickfont: { color: soft, size }, ...bar,
      title: { ...bar.title, font: { color: soft, size } } } };
  }
  if (narrow && layout.margin) {
    const { r, l } = layout.margin; // a wide left margin holds names, and they stay
    out.margin = { ...layout.margin, r: Math.round(r * 0.84), l: l > 100 ? Math.round(l * 0.84) : Math.min(l, 36) };
  }
  out.annotations = (layout.annotations ?? []).map((note) => ({ ...note,
    font: { ...note.font, size: narrow ? 11 : note.font?.size ?? size, color: note.font?.color ? ink(note.font.color, colours) : soft } }));
  out.shapes = [...(layout.shapes ?? []), ...marks].map((shape) => ({ layer: 'above', ...shape,
    ...(shape.name === 'band' ? { layer: 'below', fillcolor: css(text, 0.12) } : {}),
    line: { color: css(text, shape.name === 'step' ? 0.6 : 0.9), ...shape.line } }));
  if (window.matchMedia?.('(pointer: coarse)').matches) out.dragmode = false; // a finger scrolls the page
  return out;
}

// On a dark page the families' colours are lifted a little towards the text, traces as well as letters.
function lifted(traces, { text, paper }) {
  if (light(paper) > 0.2) return traces;
  const lift = (part) => (typeof part?.color === 'string' ? { ...part, color: css(mix(channels(part.color), text, 0.2)) } : part);
  return traces.map((trace) => { // a key that is there and undefined trips plotly.js
    const out = { ...trace };
    if (trace.line) out.line = lift(trace.line);
    if (trace.marker) out.marker = { ...lift(trace.marker), ...(trace.marker.line ? { line: lift(trace.marker.line) } : {}) };
    return out;
  });
}

// ---- data ----

const written = (z) => { const v = 10 ** z; return v >= 100 ? v.toFixed(0) : v >= 0.01 ? v.toPrecision(2) : v.toExponential(1); };

function completed(trace) {
  const { cells, name, rows, columns, below, above } = trace.meta ?? {};
  if (cells !== 'log10') return trace;
  const what = (row) => `${name} · ${rows[row]}${rows[row].includes('.shortcut.') ? ' (projection)' : ''}`;
  const number = (step) => step.toLocaleString('en');
  const steps = columns.map((first, i) => { const last = trace.x[i + 1] - 0.5;
    return last > first ? `<br>steps ${number(first)} to ${number(last)}: ` : `<br>step ${number(first)}: `; });
  const range = (z, row, i) => (below === null ? '' : // a smallest norm of zero has no logarithm
    `, from ${below[row][i] === null ? 0 : written(z - below[row][i] / 100)} to ${written(z + above[row][i] / 100)}`);
  trace.text = trace.z.map((values, row) => { const layer = what(row);
    return values.map((z, i) => `${layer}${steps[i]}${z === null ? 'not measured' : written(z) + range(z, row, i)}`); });
  return trace;
}

function told(point) {
  const meta = point.data.meta;
  if (meta?.cells === 'log10') {
    const [row, column] = point.pointIndex ?? point.pointNumber;
    return { x: meta.columns[column], y: row, customdata: meta.rows[row], name: meta.name };
  }
  return { x: point.x, y: point.y, customdata: point.customdata ?? null, name: point.data.name };
}

// ---- one chart ----

class Chart {
  constructor(root) {
    this.root = root;
    this.plot = root.querySelector('.live-chart-plot');
    this.resets = 0;
    this.held = {};
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(root);
    root.addEventListener('pointermove', (event) => { this.pointer = event; });
    root.addEventListener('pointerleave', () => { this.pointer = null; });
    this.deafen = listen(LIGHT, this, ({ parts }) => this.light(parts));
  }

  get lights() { return this.head?.lights; }

  // One update at a time, always the newest: a slow browser skips some, and never falls behind. From the page comes a
  // head, with its figure or with the feed that has it; from the feed, a figure.
  async receive(update) {
    this.next = { ...this.next, ...update };
    if (this.busy) return;
    this.busy = true;
    while (this.next) {
      const newest = this.next;
      this.next = null;
      try {
        await this.show(newest);
      } catch (error) {
        console.error(error);
        this.failed();
      }
    }
    this.busy = false;
  }

  async show({ bytes, fed }) {
    let fresh = fed;
    if (bytes) {
      const { head, body } = unframed(bytes);
      if (!head.feed && head.etag !== this.etag) fresh = await unpacked(body);
      this.etag = head.feed ? null : head.etag;
      follow(this, head.feed, (part) => this.receive({ fed: part }), (shape) => this.send('changed', shape));
      this.head = head;
    }
    if (fresh) {
      this.figure = { ...fresh, data: fresh.data.map(completed) };
      this.root.setAttribute('aria-label', fresh.alt);
    }
    this.root.style.height = `${this.head.height}px`;
    this.P = await plotly();
    if (!this.root.isConnected || !this.figure) return;
    this.root.querySelector('.live-chart-note')?.remove();
    this.draw();
    await this.drawn;
  }

  draw() {
    if (this.plot._dragging) { // never pull a chart away from under the hand that zooms it
      clearTimeout(this.later);
      this.later = setTimeout(() => this.draw(), 150);
      return;
    }
    const colours = palette(this.root);
    const layout = { ...this.layout(colours), height: this.head.height, uirevision: this.head.rev };
    this.hold(layout);
    this.config ??= { displaylogo: false, displayModeBar: 'hover', doubleClick: false, showSendToCloud: false,
      plotlyServerURL: '', modeBarButtonsToRemove: REMOVED, // once: another config would be another plot
      modeBarButtonsToAdd: [{ name: 'whole', title: 'Show all', icon: this.P.Icons.home, click: () => this.reset() }] };
    const first = !this.drawn;
    this.drawn = this.P.react(this.plot, lifted(this.figure.data, colours), layout, this.config).then(() => {
      this.root.dataset.updates = String(Number(this.root.dataset.updates ?? 0) + 1);
      if (first) this.listenTo(this.plot);
      this.hoverAgain();
    });
  }

  // Plotly keeps a zoom while the page asks for the same range; an axis that grows asks for another, and would take the
  // zoom away. So what was asked for when a hand came is asked for until it lets go, or other runs are drawn.
  hold(layout) {
    const revision = `${layout.uirevision} ${this.resets}`;
    if (this.revision !== revision) this.held = {};
    this.revision = revision;
    this.asked = {};
    for (const axis of Object.keys(layout).filter((name) => AXIS.test(name))) {
      const asked = this.asked[axis] = layout[axis].range;
      // A copy: Plotly writes a hand's zoom into the range that it was given.
      layout[axis] = { ...layout[axis], ...(asked && { range: [...this.held[axis] ?? asked] }), uirevision: revision };
    }
  }

  zoomed(changes) {
    for (const axis of Object.keys(changes).map((key) => key.split('.')[0]).filter((name) => AXIS.test(name))) {
      this.held[axis] ??= this.asked[axis];
    }
  }

  // Plotly's own would go back to the ranges of the first draw.
  reset() {
    this.resets += 1;
    this.draw();
  }

  listenTo(plot) {
    plot.on('plotly_relayout', (changes) => this.zoomed(changes));
    plot.on('plotly_doubleclick', () => this.reset());
    plot.on('plotly_click', (event) => this.send('click', told(event.points[0])));
    plot.on('plotly_hover', (event) => this.pointedAt(told(event.points[0])));
    plot.on('plotly_unhover', () => this.pointedAt({ x: null }));
  }

  pointedAt({ x, customdata }) {
    say(POINT, this.lights, { length: x });
    say(HINT, ALL.lights, { at: typeof customdata === 'string' ? customdata : null });
  }

  layout(colours) {
    const lit = (this.parts ?? []).map((y1, k) => ({ type: 'rect', x0: k - 0.4, x1: k + 0.4, y0: 0, y1, fillcolor: css(colours.text, 0.62), line: { width: 0 } }));
    return dressed(this.figure.layout, [...this.head.marks, ...lit.filter((bar) => bar.y1 > 0.001)], colours, this.root.clientWidth);
  }

  // Of each bar, the part that belongs to the lit paths. Shapes alone are drawn anew: what the pointer shows stays.
  light(parts) {
    this.parts = parts;
    if (this.drawn && !this.plot._dragging) this.P.relayout(this.plot, { shapes: this.layout(palette(this.root)).shapes });
  }

  hoverAgain() {
    if (!this.pointer) return;
    const { clientX, clientY } = this.pointer;
    const under = document.elementFromPoint(clientX, clientY);
    if (under && this.plot.contains(under)) {
      under.dispatchEvent(new MouseEvent('mousemove', { clientX, clientY, bubbles: true, view: window }));
    }
  }

  resized() {
    if (!this.figure || !this.P || !this.root.clientWidth || this.root.clientWidth === this.width) return;
    this.width = this.root.clientWidth;
    this.draw();
    this.P.Plots.resize(this.plot);
  }

  failed() {
    if (this.root.querySelector('.live-chart-note')) return;
    const note = document.createElement('div');
    note.className = 'live-chart-note';
    note.setAttribute('role', 'status');
    note.textContent = 'This chart could not be drawn: its library did not load. The numbers are kept; reload the page to try again.';
    const small = document.createElement('small');
    small.textContent = this.root.getAttribute('aria-label') ?? '';
    note.append(small);
    this.root.append(note);
  }

  destroy() {
    clearTimeout(this.later);
    this.sizes.disconnect();
    this.deafen();
    this.unfollow?.();
    window.Plotly?.purge(this.plot);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.live-chart');
  root._chart ??= new Chart(root);
  root._chart.send = setTriggerValue;
  root._chart.receive({ bytes: data });
  // Streamlit also runs the clean-up of an update that another has overtaken: only a chart that is gone is purged.
  return () => { if (!root.isConnected) { root._chart?.destroy(); delete root._chart; } };
}
