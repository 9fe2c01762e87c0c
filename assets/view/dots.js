// A tree too large for one element a node: its shapes and edges, painted on a canvas behind the picture, and the node under a
// point. Text is too small to read there and is left out; the table of candidates and the node's own panel say what it says.

const SHADES = 10;           // of the score's colour
const REACH = 14;            // px of the picture around a node that count as the node

class Dots {
  constructor(pane) {
    this.pane = pane;
    this.svg = pane.querySelector('svg');
    this.canvas = html('canvas', 'dots');
    mark(this.canvas, 'aria-hidden', true);
    pane.prepend(this.canvas);
    this.paths = Object.fromEntries(Object.entries(SHAPES).map(([name, d]) => [name, new Path2D(d)]));
    this.clear();
  }

  clear() {
    this.spots = [];
    this.canvas.hidden = true;
  }

  // Paint `items`, [{node, x, y, fate, from, bold}], and `bunches`, [{x, y}], where the picture stands at that zoom.
  paint(items, bunches, zoom) {
    const { canvas, pane } = this;
    const [width, height] = [pane.clientWidth, pane.clientHeight];
    const [own, outer] = [this.svg, pane].map((element) => element.getBoundingClientRect());
    const fine = window.devicePixelRatio || 1;
    canvas.hidden = false;
    Object.assign(canvas.style, { left: `${pane.scrollLeft}px`, top: `${pane.scrollTop}px`, width: `${width}px`, height: `${height}px` });
    if (canvas.width !== Math.round(width * fine)) canvas.width = Math.round(width * fine);
    if (canvas.height !== Math.round(height * fine)) canvas.height = Math.round(height * fine);
    const ink = canvas.getContext('2d');
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`);
    const scale = zoom * fine;
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.clearRect(0, 0, canvas.width, canvas.height);
    ink.setTransform(scale, 0, 0, scale, (own.left - outer.left) * fine, (own.top - outer.top) * fine);
    const thin = 0.7 / zoom;
    for (const [test, stroke, wide] of [
      [(item) => !item.bold && GONE.has(item.fate), colour('gone'), 0.6], [(item) => !item.bold && !GONE.has(item.fate), colour('edge'), 1.3],
      [(item) => item.bold, colour('path'), 3.2],
    ]) this.lines(ink, items.filter((item) => item.from && test(item)), stroke, Math.max(wide, wide * thin));
    const families = new Map();
    for (const item of items) {
      const shade = GONE.has(item.fate) || item.node.score === null ? -1 : Math.round(Math.max(0, Math.min(1, item.node.score)) * SHADES);
      const key = `${FATES[item.fate].shape} ${shade}`;
      if (!families.has(key)) families.set(key, { item, shade, path: new Path2D() });
      families.get(key).path.addPath(this.paths[FATES[item.fate].shape], { e: item.x, f: item.y });
    }
    for (const { item, shade, path } of families.values()) {
      const gone = GONE.has(item.fate);
      ink.lineWidth = Math.max(gone ? 2.2 : 1.4, thin);
      ink.strokeStyle = colour(item.fate === 'selected' ? 'path' : gone || item.fate === 'waiting' ? 'gone' : 'ink');
      ink.fillStyle = shade < 0 ? colour('card') : `color-mix(in oklab, ${colour('low')}, ${colour('high')} ${(100 * shade) / SHADES}%)`;
      if (!gone && item.fate !== 'selected') ink.fill(path);
      ink.stroke(path);
    }
    ink.fillStyle = colour('gone');
    for (const { x, y } of bunches) ink.fillRect(x - 6, y - 4, 36, 8);
    this.spots = items;
  }

  lines(ink, items, stroke, width) {
    ink.beginPath();
    for (const { x, y, from: [x1, y1] } of items) {
      const out = bend(x1, x);
      ink.moveTo(x1, y1);
      ink.bezierCurveTo(x1 + out, y1, x - out, y, x, y);
    }
    ink.strokeStyle = stroke;
    ink.lineWidth = width;
    ink.stroke();
  }

  // The painted node nearest to a point of the picture, if one is near.
  at(x, y) {
    const far = (item) => Math.hypot(item.x - x, item.y - y);
    const near = this.spots.filter((item) => far(item) <= REACH);
    return near.sort((a, b) => far(a) - far(b))[0]?.node;
  }
}

const GONE = new Set(['pruned', 'duplicate']);
