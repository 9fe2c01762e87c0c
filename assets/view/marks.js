// The small marks of the picture beside nodes and edges: what stands under a node, links from an attempt to the one it revises,
// and the bands of subtrees. It knows where things stand from the caller and nothing of the log.

const BUBBLE = 'M-6-6h12v8h-7l-3 3.5v-3.5h-2z';
const SIGNS = {
  accepted: 'M-3-2l2.2 2.2l4-4.4', refused: 'M-2.6-4.6l5.2 5.2M-2.6.6l5.2-5.2', unsure: 'M-3.4-2h.1M0-2h.1M3.3-2h.1',
};
const SMALL = 5.75;          // px a character of the small print
const BANDS = 4;             // tints of neighbouring subtrees

// What stands under a node, or nothing: a stub for the look-ahead, a speech bubble for feedback, small print.
function underMark(under) {
  const group = svg('g', { class: 'under', 'aria-hidden': 'true' });
  let x = 12;
  if (under.steps) {
    let dots = '';
    for (let i = 1; i <= under.steps; i += 1) dots += `M${10 + i * 8} 12.5a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0`;
    const stub = `M3 7C4 12.5 8 12.5 12 12.5H${10 + under.steps * 8}`;
    group.append(svg('path', { class: 'stub', d: stub }), svg('path', { d: dots }));
    x += under.steps * 8 + 9;
  }
  if (under.bubble) {
    const at = { transform: `translate(${x + 6} 14.5)`, 'data-says': under.bubble };
    const sign = svg('path', { class: 'sign', d: SIGNS[under.bubble], ...at });
    group.append(svg('path', { class: 'bubble', d: BUBBLE, ...at }), sign);
    x += 17;
  }
  const text = svg('text', { x, y: 15.5 });
  text.textContent = under.text;
  group.append(text);
  return group;
}

// Room that it takes, in px from the middle of the node.
const underWidth = (under) => (under.steps ? under.steps * 8 + 9 : 0) + (under.bubble ? 17 : 0) + under.text.length * SMALL + 14;

// From a finished attempt back to the first step of the one that revises it, through the room between the rows; and its tip.
function linkPaths([x1, y1], [x2, y2], gap) {
  const y = y2 - Math.sign(y2 - y1 || 1) * gap;
  const side = Math.sign(x2 - x1) || 1;
  const up = Math.sign(y - y1) || 1;
  const down = Math.sign(y2 - y) || 1;
  const end = y2 - down * 11;
  const r = 6;
  const turns = `V${y - up * r}Q${x1} ${y} ${x1 + side * r} ${y}H${x2 - side * r}Q${x2} ${y} ${x2} ${y + down * r}`;
  return [`M${x1} ${y1 + up * 10}${turns}V${end}`, `M${x2 - 4} ${end - down * 5}L${x2} ${end}L${x2 + 4} ${end - down * 5}`];
}

// One soft area a subtree: in each column from its first to its last row. `spans` is [[x, top, width, bottom], …].
function bandPath(spans) {
  return spans.map(([x, top, width, bottom]) => `M${x} ${top}h${width}V${bottom}h${-width}z`).join('');
}
