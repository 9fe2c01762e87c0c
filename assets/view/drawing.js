// The problem as a picture, with the attempt of the chosen node in it. The server draws it; what comes is taken in only as
// shapes and text: any other element, and any attribute that could run or fetch something, is left out.

const DRAWN_WITH = new Set(['svg', 'g', 'path', 'line', 'rect', 'circle', 'ellipse', 'polyline', 'polygon', 'text', 'tspan', 'title', 'desc']);

function safeShape(from) {
  const to = document.createElementNS('http://www.w3.org/2000/svg', from.localName);
  for (const { name, value } of from.attributes) {
    if (/^(on|href|xlink|xmlns|style|class|id)/i.test(name) || /url|script/i.test(value)) continue;
    to.setAttribute(name, value);
  }
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) to.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE && DRAWN_WITH.has(child.localName)) to.append(safeShape(child));
  }
  return to;
}

class DrawingPanel {
  constructor(card) {
    this.card = card;
    this.place = card.querySelector('.picture');
    this.where = card.querySelector('.where');
  }

  // `text` is SVG, empty where the task draws nothing, undefined until the server has said: then the last picture stays.
  show(text, node) {
    if (text === undefined) return;
    put(this.where, !text ? '' : node.n === 0 ? inWords('the problem') : inWords('as far as node {path}', node));
    if (text === this.shown) return;
    this.shown = text;
    const read = text ? new DOMParser().parseFromString(text, 'image/svg+xml').documentElement : null;
    const drawn = read?.localName === 'svg';
    this.card.hidden = !drawn;
    this.place.replaceChildren(...(drawn ? [safeShape(read)] : []));
  }
}
