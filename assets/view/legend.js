// The legend, drawn from the same shapes as the picture. What only some strategies say is explained where it is said.

class Legend {
  constructor(place) {
    place.replaceChildren(...Object.keys(FATES).filter((fate) => FATES[fate].says).map(keyOf));
    const grades = key(html('span', 'right', '✓'), `${inWords('right')} `, html('span', 'wrong', '✗'), inWords('wrong'));
    const path = key(html('span', 'bold-line'), inWords('path to the answer'));
    this.told = html('span', 'told');
    place.append(key(html('span', 'ramp'), inWords('score 0 to 1')), path, grades, this.told);
  }

  explain(whole) {
    const told = [...whole.told, ...(whole.start?.M ? ['bands'] : [])].sort();
    if (String(told) === this.shown) return;
    this.shown = String(told);
    this.told.replaceChildren(...told.flatMap((fact) => (TOLD[fact] ? [key(...TOLD[fact]())] : [])));
  }
}

function key(...parts) {
  const made = html('span', 'key');
  made.append(...parts);
  return made;
}

function keyOf(fate) {
  const { shape, says } = FATES[fate];
  const group = svg('g', { class: 'node scored', 'data-fate': fate, style: '--score:0.6' });
  group.append(svg('path', { class: 'shape', d: SHAPES[shape] }));
  if (fate === 'selected') group.append(svg('path', { class: 'tick', d: TICK }));
  return key(drawing('-12 -12 24 24', 20, 20, group), inWords(says));
}

const drawing = (viewBox, width, height, ...parts) => svg('svg', { viewBox, width, height, 'aria-hidden': 'true' }, ...parts);
const bubble = (bubble) => drawing('11 6 15 15', 15, 15, underMark({ bubble, steps: 0, text: '' }));
const small = (text) => html('span', 'small', text);

// Parts of a key by the kind of fact.
const TOLD = {
  visits: () => [small('12 · 0.61'), inWords('visits · mean value')],
  share: () => [small('→ 4'), inWords('its share of the next samples')],
  weight: () => [small('w 0.12'), inWords('a particle’s weight')],
  verdicts: () => [small(inWords('{yes}/{of} yes', { yes: 5, of: 8 })), inWords('written verdicts')],
  ahead: () => [drawing('2 4 30 12', 30, 12, underMark({ steps: 2, text: '' })), inWords('looked ahead, for the score only')],
  feedback: () => [inWords('feedback:'), bubble('accepted'), inWords('accepted'), bubble('refused'), inWords('not accepted'), bubble('unsure'),
    inWords('can’t tell')],
  revises: () => [drawing('0 0 24 8', 24, 8, svg('path', { class: 'link', d: 'M0 4h24' })), inWords('to the attempt that revises it')],
  bands: () => [html('span', 'swatch'), inWords('a band for each subtree')],
};
