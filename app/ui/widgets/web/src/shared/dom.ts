// What every component draws with, and how Streamlit calls one.

const SVG = 'http://www.w3.org/2000/svg';

type Value = string | number;

/** What Streamlit hands a component at every update. */
export interface Given<Data> {
  data: Data;
  parentElement: HTMLElement | ShadowRoot;
  setTriggerValue: Send;
  setStateValue: Send;
}

export type Send = (name: string, value: unknown) => void;

/** What must be there: an index within its bounds, an element of one's own markup. */
export function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('Something that a component counts on is not there.');
  return value;
}

/** The element of a component's own markup that `selector` names. */
export const one = (parent: ParentNode, selector: string): HTMLElement =>
  must(parent.querySelector<HTMLElement>(selector));

type Kept<T> = HTMLElement & { own?: T };

/** The instance that draws into `root`: made once, kept with the element, whatever module the page is given later. */
export const instance = <T>(root: Kept<T>, create: (root: HTMLElement) => T): T => (root.own ??= create(root));

/** Streamlit also runs the clean-up of an update that another has overtaken: only an element that is gone is let go. */
export const whenGone =
  <T>(root: Kept<T>, end: (own: T) => void) =>
  (): void => {
    if (root.isConnected || !root.own) return;
    end(root.own);
    delete root.own;
  };

/** An element of SVG. */
export function draw<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, Value>,
  text?: Value,
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = String(text);
  return element;
}

/** An element of HTML. */
export const make = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  name = '',
  text = '',
): HTMLElementTagNameMap[Tag] => Object.assign(document.createElement(tag), { className: name, textContent: text });

/** An element of HTML, at the end of `parent`. */
export const add = <Tag extends keyof HTMLElementTagNameMap>(
  parent: HTMLElement,
  tag: Tag,
  name = '',
  text = '',
): HTMLElementTagNameMap[Tag] => parent.appendChild(make(tag, name, text));

/** The element that has the focus, in the document or in the shadow that `element` stands in. */
export function focused(element: Element): Element | null {
  const root = element.getRootNode();
  return root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
}

const pen = document.createElement('canvas').getContext('2d');

/** The width of a text in the component's letters. */
export function measured(root: HTMLElement, text: string, font: string): number {
  if (!pen) return 0;
  pen.font = `${font} ${getComputedStyle(root).fontFamily}`;
  return pen.measureText(text).width;
}

export const many = (n: number): string => n.toLocaleString('en');
export const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** The block that a selection names, `block:12` or `blocks.12.branch.conv1`; null for any other. */
export function blockOf(value: string | null | undefined): number | null {
  const found = /^block:(\d+)$|^blocks\.(\d+)\./.exec(value ?? '');
  return found ? Number(found[1] ?? found[2]) : null;
}
