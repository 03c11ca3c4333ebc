// What all components share, built as one module: a page has one feed and one store.

export * from '../feed/feed.js';
export * from '../feed/frame.js';
export * from './choice.js';
export * from './dom.js';
export * from './store.js';
