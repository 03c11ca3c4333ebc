// A passage of the page that the server has written as HTML, and keeps writing while runs train.

import { follow } from './feed.js';

class Text {
  constructor(root) {
    this.root = root;
  }

  receive({ html, kind, feed }, send) {
    this.send = send;
    this.root.classList.toggle('caption', kind === 'caption');
    if (!feed || feed.part !== this.part) this.write(html);
    this.part = feed?.part;
    follow(this, feed, (fed) => this.write(fed), (shape) => this.send('changed', shape));
  }

  write(html) {
    if (html === this.html) return; // what a reader has selected stays selected
    this.html = html;
    this.root.innerHTML = html;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.live-text');
  root._text ??= new Text(root);
  root._text.receive(data, setTriggerValue);
  return () => { if (!root.isConnected) root._text?.unfollow?.(); };
}
