// A passage of the page that the server has written as HTML, and keeps writing while runs train.

import { Following, instance, one, whenGone, type Given, type Send, type Told } from '../shared/index.js';

export interface TextData {
  html: string;
  kind: string;
  feed: Told | null;
}

export class Text {
  private readonly following = new Following();
  private part: string | undefined;
  private html: string | undefined;

  constructor(private readonly root: HTMLElement) {}

  receive({ html, kind, feed }: TextData, send: Send): void {
    this.root.classList.toggle('caption', kind === 'caption');
    if (!feed || feed.part !== this.part) this.write(html);
    this.part = feed?.part;
    this.following.follow<string>(
      feed,
      (fed) => this.write(fed),
      (shape) => send('changed', shape),
    );
  }

  end(): void {
    this.following.end();
  }

  private write(html: string): void {
    if (html === this.html) return; // what a reader has selected stays selected
    this.html = html;
    this.root.innerHTML = html;
  }
}

export default function ({ data, parentElement, setTriggerValue }: Given<TextData>): () => void {
  const root = one(parentElement, '.live-text');
  instance(root, () => new Text(root)).receive(data, setTriggerValue);
  return whenGone<Text>(root, (text) => text.end());
}
