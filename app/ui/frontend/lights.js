// What one component points at lights up in the others, in the browser alone. Two messages go between those that were
// given the same `lights`. POINT, from a strip or a chart to the unrolled net: a `block` or a `length` of path, null for
// no more. LIGHT, its answer to all: the `blocks` that every lit path passes, and the lit paths of each length as
// `parts` of all, in percent; null for none. And from any chart to ALL strips, HINT: the pointer is `at` a layer or a
// block, null for no more.

const POINT = 'explorer:point', LIGHT = 'explorer:light', HINT = 'explorer:hint', ALL = { lights: 'all' };

const say = (message, lights, detail) => lights && document.dispatchEvent(new CustomEvent(message, { detail: { ...detail, lights } }));

// Calls `heard` until what it returns is called. `component.lights` says which messages are meant for it.
const listen = (message, component, heard) => {
  const receive = ({ detail }) => detail.lights === component.lights && heard(detail);
  document.addEventListener(message, receive);
  return () => document.removeEventListener(message, receive);
};
