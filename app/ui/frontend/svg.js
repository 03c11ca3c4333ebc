// What the strip and the diagram draw with. Read before either of them.

const svgNs = 'http://www.w3.org/2000/svg';
const draw = (tag, attributes, text) => {
  const element = document.createElementNS(svgNs, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const make = (tag, name, text) => Object.assign(document.createElement(tag), { className: name, textContent: text ?? '' });
const many = (n) => n.toLocaleString('en');
const blockOf = (value) => { const found = /^block:(\d+)$|^blocks\.(\d+)\./.exec(value ?? ''); return found ? Number(found[1] ?? found[2]) : null; };

